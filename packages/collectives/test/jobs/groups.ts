import type { Communicator, Transfer } from '../../src/index.js'
import { join } from '../../../../test/support/join.js'
import { checkCollectives } from './check-collectives.js'

/** Four ranks as a grid of 2 x 2: collectives in its rows and columns, first in one group after the other, then in all at once. */
async function main(all: Communicator): Promise<void> {
  const { rank } = all
  const [y, x] = [Math.floor(rank / 2), rank % 2]
  // Not in the order of ranks, so that a rank of the group is another than that of the job.
  const [row, column] = await Promise.all([all.group([2 * y + 1, 2 * y]), all.group([x + 2, x])])
  equal('ranks', [row.rank, row.size, column.rank, column.size], [1 - x, 2, 1 - y, 2])
  await checkCollectives(row)
  await checkCollectives(column)

  // Rounds of many sizes, whose transfers end in another order than they began in. Both columns wait for their last ones first.
  for (let round = 1; round <= 30; round++) {
    const own = 10 ** rank * round
    const length = 1 + ((round * 397) % 3000)
    const [inRow, inColumn, inAll] = [row, column, all].map(() => new Float64Array(length).fill(own))
    const part = new Float64Array(length)
    const joined = new Float64Array(2 * length)
    const transfers: Transfer[] = [
      row.allReduce(inRow),
      all.allReduce(inAll),
      column.allReduce(inColumn),
      row.reduceScatter(new Float64Array(2 * length).fill(own), part),
      column.allGather(new Float64Array(length).fill(own), joined),
    ]
    for (const transfer of round % 2 === x ? transfers : transfers.toReversed()) await transfer.wait()
    const sumOf = (ranks: readonly number[]) => ranks.reduce((sum, of) => sum + 10 ** of * round, 0)
    equal('row', both(inRow), both(new Float64Array(length).fill(sumOf([2 * y, 2 * y + 1]))))
    equal('column', both(inColumn), both(new Float64Array(length).fill(sumOf([x, x + 2]))))
    equal('all', both(inAll), both(new Float64Array(length).fill(sumOf([0, 1, 2, 3]))))
    equal('part', both(part), both(inRow))
    equal('joined', [joined[0], joined[2 * length - 1]], [10 ** (x + 2) * round, 10 ** x * round])
  }

  // A group of a group: ranks of the list are those of the group.
  const shuffled = await all.group([3, 1, 0, 2])
  const pair = await shuffled.group(shuffled.rank < 2 ? [1, 0] : [3, 2])
  const first = new Float32Array(1).fill(rank)
  await pair.broadcast(first).wait()
  equal('first of a pair', first, [rank === 0 || rank === 2 ? 2 : 1])

  // Alone, and again and again.
  for (let round = 0; round < 20; round++) {
    const alone = await all.group([rank])
    const again = await all.group([2 * y, 2 * y + 1])
    const values = Float32Array.of(rank)
    await alone.allReduce(values).wait()
    await again.allReduce(values).wait()
    equal('again', values, [4 * y + 1])
    await alone.close()
    await again.close()
    await again.close()
  }
  // Lists that differ: on threads the member that comes first is not told.
  if (all.name !== 'threads') {
    const { message } = await thrown(() => all.group(x === 0 ? [rank, rank + 1] : [rank, rank - 1]))
    if (!message.startsWith('group: members must give the same ranks')) throw new Error(message)
  }

  // Some groups stay open to the end.
  await row.close()
  const { message } = await thrown(() => row.allReduce(new Float32Array(1)))
  if (!/^\w+: the communicator of ranks \d, \d is closed$/.test(message)) throw new Error(message)
  if (rank === 0) console.log(`ok ${row.name}`)
}

function equal(what: string, found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  const [a, b] = [found, wanted].map((list) => Array.from(list).join())
  if (a !== b) throw new Error(`${what} is ${a} and not ${b}`)
}

/** The ends of an array, where every number should be the same. */
function both(values: Float64Array): number[] {
  return [values[0], values[values.length >> 1], values[values.length - 1]]
}

async function thrown(act: () => unknown): Promise<Error> {
  try {
    await act()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

await join(import.meta.url, main)
