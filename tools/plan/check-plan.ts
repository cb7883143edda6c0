// Compares what `dit plan` says with the peak resident size that the operating system reports for the same options:
//
//   npm run check:plan            needs Linux, an mpirun, about 6 GiB of memory and some minutes
//
// Fails where they are more than 10 percent apart; of several workers, where any is.
import { peaks, plan } from './peaks.js'

interface Config {
  readonly name: string
  readonly flags: string
  readonly workers?: number
}

/** Configurations above 1 GB whether blocks are recomputed or not. */
const CONFIGS: readonly Config[] = [
  { name: 'wide: 12 blocks of 768', flags: '--hidden 768 --depth 12 --heads 12 --size 32 --patch 4 --batch 8' },
  { name: 'deep: 16 blocks of 512', flags: '--hidden 512 --depth 16 --heads 8 --size 32 --patch 4 --batch 16' },
  { name: 'small: 10 blocks of 640', flags: '--hidden 640 --depth 10 --heads 10 --size 16 --patch 2 --batch 12' },
  {
    name: 'wide, 2 workers',
    flags: '--hidden 768 --depth 12 --heads 12 --size 32 --patch 4 --batch 8',
    workers: 2,
  },
]

const MOST_APART = 0.1

let worst = 0
for (const { name, flags, workers = 1 } of CONFIGS) {
  for (const recompute of ['none', 'block']) {
    const options = [...flags.split(' '), '--recompute', recompute]
    const { total } = plan([...options, '--workers', String(workers)])
    for (const [rank, measured] of (await peaks(options, workers)).entries()) {
      const apart = total / measured - 1
      worst = Math.max(worst, Math.abs(apart))
      const what = `${name}, recompute ${recompute}${workers === 1 ? '' : `, rank ${rank}`}`
      const [a, b] = [total, measured].map((bytes) => (bytes / 2 ** 20).toFixed(0).padStart(6))
      console.log(what.padEnd(44), `plan ${a} MiB  measured ${b} MiB  ${percent(apart)}`)
    }
  }
}
console.log(`largest difference ${percent(worst)}; ${worst <= MOST_APART ? 'ok' : 'more than 10 %'}`)
process.exitCode = worst <= MOST_APART ? 0 : 1

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
