import type { Communicator } from '../../src/index.js'
import { join } from '../../../../test/support/join.js'
import { checkCollectives } from './check-collectives.js'

/** Every collective as one that blocks, between all ranks and in a group, and amid transfers under way; prints `ok`. */
async function main(all: Communicator): Promise<void> {
  const { rank, size } = all
  const rest = await all.group(rank === 0 ? [0] : Array.from({ length: size - 1 }, (_, i) => size - 1 - i))

  let hasTurned = false
  setImmediate(() => (hasTurned = true))
  for (const communicator of [all, rest]) checkBlocking(communicator)
  amid(all, rest)
  if (hasTurned) throw new Error('the event loop has had a turn')

  // Both kinds in turns, which must leave the order of collectives as it is.
  await checkCollectives(all)
  amid(all, rest)
  await checkCollectives(rest)
  if (rank === 0) console.log(`ok ${all.name} ${size}`)
}

function checkBlocking({ rank, size, blocking }: Communicator): void {
  const value = (of: number, i: number) => ((of + 1) * (i + 1)) % 97
  const sum = (i: number) => Array.from({ length: size }, (_, of) => value(of, i)).reduce((a, b) => a + b)
  for (const Floats of [Float32Array, Float64Array]) {
    for (const length of [1, 1000, 5000]) {
      const own = Floats.from(Array.from({ length }, (_, i) => value(rank, i)))
      const values = own.slice()
      blocking!.allReduce(values)
      check('allReduce', values, sum)

      const spread = Floats.from(Array.from({ length: size * length }, (_, i) => value(rank, i)))
      const part = new Floats(length)
      blocking!.reduceScatter(spread, part)
      check('reduceScatter', part, (i) => sum(rank * length + i))

      const joined = new Floats(size * length)
      blocking!.allGather(own, joined)
      check('allGather', joined, (i) => value(Math.floor(i / length), i % length))

      const sent = rank === size - 1 ? own : new Floats(length)
      blocking!.broadcast(sent, size - 1)
      check('broadcast', sent, (i) => value(size - 1, i))
    }
  }
}

/** Transfers that were begun before and are under way, longer than a chunk, in both communicators. */
function amid(all: Communicator, rest: Communicator): void {
  for (let round = 0; round < 5; round++) {
    const [long, longOfRest] = [new Float32Array(20_000).fill(2), new Float64Array(9000).fill(3)]
    const transfers = [all.allReduce(long), rest.allReduce(longOfRest)]
    const [short, shortOfRest] = [Float32Array.of(5), Float32Array.of(7)]
    for (const [{ blocking }, values] of [[rest, shortOfRest] as const, [all, short] as const]) {
      blocking!.allReduce(values)
    }
    check('all', short, () => 5 * all.size)
    check('rest', shortOfRest, () => 7 * rest.size)
    // Collectives of a communicator end in order, so that these are done.
    if (!transfers.every((transfer) => transfer.poll())) throw new Error('an earlier transfer is not done')
    check('long', long, () => 2 * all.size)
    check('long of rest', longOfRest, () => 3 * rest.size)
  }
}

function check(what: string, values: Float32Array | Float64Array, wanted: (i: number) => number): void {
  const wrong = values.findIndex((x, i) => x !== wanted(i))
  if (wrong !== -1) throw new Error(`${what}: number ${wrong} is ${values[wrong]} and not ${wanted(wrong)}`)
}

await join(import.meta.url, main)
