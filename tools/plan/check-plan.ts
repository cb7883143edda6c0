// Compares what `dit plan` says with the peak resident size that the operating system reports for the same options:
//
//   npm run check:plan            needs Linux, about 4 GiB of memory and some minutes
//
// Fails where they are more than 10 percent apart.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url))

/** Configurations above 1 GB whether blocks are recomputed or not. */
const CONFIGS: readonly { readonly name: string; readonly flags: string }[] = [
  { name: 'wide: 12 blocks of 768', flags: '--hidden 768 --depth 12 --heads 12 --size 32 --patch 4 --batch 8' },
  { name: 'deep: 16 blocks of 512', flags: '--hidden 512 --depth 16 --heads 8 --size 32 --patch 4 --batch 16' },
  { name: 'small: 10 blocks of 640', flags: '--hidden 640 --depth 10 --heads 10 --size 16 --patch 2 --batch 12' },
]

const MOST_APART = 0.1

let worst = 0
for (const { name, flags } of CONFIGS) {
  for (const recompute of ['none', 'block']) {
    const options = [...flags.split(' '), '--recompute', recompute]
    const planned = plan([...options, '--classes', '6'])
    const measured = await peakOf(options)
    const apart = planned / measured - 1
    worst = Math.max(worst, Math.abs(apart))
    const [a, b] = [planned, measured].map((bytes) => (bytes / 2 ** 20).toFixed(0).padStart(6))
    console.log(`${name}, recompute ${recompute}`.padEnd(44), `plan ${a} MiB  measured ${b} MiB  ${percent(apart)}`)
  }
}
console.log(`largest difference ${percent(worst)}; ${worst <= MOST_APART ? 'ok' : 'more than 10 %'}`)
process.exitCode = worst <= MOST_APART ? 0 : 1

function plan(options: readonly string[]): number {
  const { stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'plan', ...options, '--json'], { encoding: 'utf8' })
  if (stderr !== '') throw new Error(stderr)
  const { rows } = JSON.parse(stdout) as { rows: { memory: { total: number } }[] }
  return rows[0].memory.total
}

/** VmHWM of two steps and a checkpoint; the kernel keeps it until the process ends. */
async function peakOf(options: readonly string[]): Promise<number> {
  const out = mkdtempSync(join(tmpdir(), 'dit-plan-'))
  const rest = ['--steps', '2', '--sample-every', 'none', '--threads', '1', '--quiet', '--out', join(out, 'run')]
  const child = spawn(process.execPath, [PROGRAM, 'train', ...options, ...rest], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let peak = 0
  const look = setInterval(() => {
    try {
      const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
      peak = Math.max(peak, 1024 * Number(kibibytes ?? 0))
    } catch {
      // It has just ended.
    }
  }, 20)
  try {
    const code = await new Promise((resolve) => child.on('close', resolve))
    if (code !== 0) throw new Error(`dit train ended with ${String(code)}`)
    return peak
  } finally {
    clearInterval(look)
    rmSync(out, { recursive: true, force: true })
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
