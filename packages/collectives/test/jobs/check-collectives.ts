import type { Communicator } from '../../src/index.js'

/** Every collective on lengths around the size of a chunk, many at once, and in both precisions. */
export async function checkCollectives(communicator: Communicator): Promise<void> {
  const { rank, size } = communicator
  const value = (of: number, i: number) => ((of + 1) * (i + 1)) % 97
  const sum = (i: number) => Array.from({ length: size }, (_, of) => value(of, i)).reduce((a, b) => a + b)
  const check = (what: string, isRight: boolean) => {
    if (!isRight) throw new Error(`${what} is wrong on rank ${rank} of ${size}`)
  }
  for (const Floats of [Float32Array, Float64Array]) {
    for (const length of [1, 3, 1000, 5000]) {
      const what = `${Floats.name} of ${length}`
      const own = Floats.from(Array.from({ length }, (_, i) => value(rank, i)))
      const values = own.slice()
      await communicator.allReduce(values).wait()
      check(
        `allReduce, ${what}`,
        values.every((x, i) => x === sum(i)),
      )

      const spread = Floats.from(Array.from({ length: size * length }, (_, i) => value(rank, i)))
      const part = new Floats(length)
      await communicator.reduceScatter(spread, part).wait()
      check(
        `reduceScatter, ${what}`,
        part.every((x, i) => x === sum(rank * length + i)),
      )

      const joined = new Floats(size * length)
      await communicator.allGather(own, joined).wait()
      check(
        `allGather, ${what}`,
        joined.every((x, i) => x === value(Math.floor(i / length), i % length)),
      )

      const root = size - 1
      const sent = rank === root ? own.slice() : new Floats(length)
      await communicator.broadcast(sent, root).wait()
      check(
        `broadcast, ${what}`,
        sent.every((x, i) => x === value(root, i)),
      )
    }
  }
  const many = Array.from({ length: 20 }, (_, k) => Float32Array.from({ length: 700 * (k + 1) }, (_, i) => i % (k + 2)))
  const transfers = many.map((values) => communicator.allReduce(values))
  communicator.poll()
  for (const transfer of transfers.toReversed()) await transfer.wait()
  check(
    'many at once',
    many.every((values, k) => values.every((x, i) => x === size * (i % (k + 2)))),
  )
  await communicator.broadcast(new Uint8Array(0)).wait()
}
