// Measures what `--shard-optimizer` spares each of four MPI ranks, by the peak resident size that the operating system reports:
//
//   npm run check:shards          needs Linux, an mpirun of Open MPI or MPICH, and about 6 GiB of memory
//
// Sharded, a rank holds a quarter of the moments and of the averages. Fails where a rank other than 0, which also gathers
// checkpoints, spares less than nine tenths of what that should. A peak is what is needed, and on top of it what happened to wait
// for the collector or in MPI's buffers at that moment: of `ROUNDS` measurements the least counts, with shards and without.
import { mebibytes, peaks, plan } from './peaks.js'

const RANKS = 4
const MODEL = '--hidden 512 --depth 12 --heads 8 --size 32 --patch 8 --batch 4 --recompute block'.split(' ')
const SHARDED = [...MODEL, '--shard-optimizer']
const LEAST = 0.9
const ROUNDS = 5

const whole = await leastPeaks(MODEL)
const sharded = await leastPeaks(SHARDED)
const planned = state(MODEL) - state(SHARDED)
console.log(`optimizer and EMA of a rank: ${mebibytes(state(MODEL))}, sharded ${mebibytes(state(SHARDED))} (plan)`)
let least = Infinity
for (let rank = 0; rank < RANKS; rank++) {
  const spared = whole[rank] - sharded[rank]
  if (rank > 0) least = Math.min(least, spared / planned)
  console.log(
    `rank ${rank}: peak ${mebibytes(whole[rank])}, sharded ${mebibytes(sharded[rank])}: spares ${mebibytes(spared)} of ${mebibytes(planned)}`,
  )
}
process.exitCode = least >= LEAST ? 0 : 1
console.log(process.exitCode === 0 ? 'ok' : `a rank spares less than ${100 * LEAST} %`)

/** The least peak of each rank. */
async function leastPeaks(options: readonly string[]): Promise<readonly number[]> {
  let least: readonly number[] = Array<number>(RANKS).fill(Infinity)
  for (let round = 0; round < ROUNDS; round++) {
    const seen = await peaks(options, RANKS)
    least = least.map((bytes, rank) => Math.min(bytes, seen[rank]))
  }
  return least
}

/** Bytes of moments and averages of one worker. */
function state(options: readonly string[]): number {
  const { optimizer, ema } = plan([...options, '--workers', String(RANKS)])
  return optimizer + ema
}
