import { expect, test } from 'vitest'
import { type Communicator, singleCommunicator } from '../src/index.js'
import { threadCommunicator, threadGroup } from '../src/node/index.js'
import { localCommunicators } from '../../../test/support/local-communicators.js'

/** Ranks that are all in this thread. Small chunks and few slots: a transfer of some hundred numbers takes several rounds. */
function threadRanks(size: number, patience = 20): { ranks: Communicator[]; room: WebAssembly.Memory } {
  const group = threadGroup(size, { chunkBytes: 256, slots: 2 })
  const options = { patience, startPatience: patience }
  return {
    ranks: Array.from({ length: size }, (_, rank) => threadCommunicator(group, rank, options)),
    room: group.room,
  }
}

/** One list of ranks for each rank: its group. */
const [ROWS, COLUMNS] = [
  [
    [0, 1],
    [0, 1],
    [2, 3],
    [2, 3],
  ],
  [
    [2, 0],
    [3, 1],
    [2, 0],
    [3, 1],
  ],
]

const kinds: [string, () => Communicator[]][] = [
  ['threads', () => threadRanks(4).ranks],
  ['test communicators', () => localCommunicators(4)],
]

test.each(kinds)('rows and columns of %s sum for themselves', async (_, make) => {
  const ranks = make()
  const [rows, columns] = await Promise.all(
    [ROWS, COLUMNS].map((lists) => Promise.all(ranks.map((one, rank) => one.group(lists[rank])))),
  )
  expect(rows.map(({ rank, size }) => [rank, size])).toEqual([0, 1, 0, 1].map((rank) => [rank, 2]))
  expect(columns.map(({ rank }) => rank)).toEqual([1, 1, 0, 0])
  const sums = await Promise.all(
    ranks.map(async (one, rank) => {
      const values = [rows[rank], columns[rank], one].map((of) => {
        const array = new Float32Array(100).fill(10 ** rank)
        return { array, transfer: of.allReduce(array) }
      })
      for (const { transfer } of rank < 2 ? values : values.toReversed()) await transfer.wait()
      return values.map(({ array }) => array[99])
    }),
  )
  expect(sums).toEqual([
    [11, 101, 1111],
    [11, 1010, 1111],
    [1100, 101, 1111],
    [1100, 1010, 1111],
  ])
})

test('the ranks of a group are those of its list, also in the group of a group', async () => {
  const { ranks } = threadRanks(3)
  const turned = await Promise.all(ranks.map((one) => one.group([2, 1, 0])))
  // Ranks 1 and 2 of the turned group are 1 and 0 of the job.
  const pair = await Promise.all([1, 0].map((ofJob) => turned[ofJob].group([2, 1])))
  expect(pair.map(({ rank }) => rank)).toEqual([1, 0])
  const values = [Float32Array.of(5), Float32Array.of(7)]
  await Promise.all(pair.map((one, i) => one.broadcast(values[i]).wait()))
  expect(values.map(([x]) => x)).toEqual([7, 7])
})

test('groups that are closed leave their memory to others', async () => {
  const { ranks, room } = threadRanks(2)
  const sizes: number[] = []
  for (let round = 0; round < 5; round++) {
    const pair = await Promise.all(ranks.map((one) => one.group([0, 1])))
    await Promise.all(pair.map((one) => one.close()))
    sizes.push(room.buffer.byteLength)
  }
  expect(new Set(sizes).size).toBe(1)
  expect(() => ranks[0].poll()).not.toThrow()
})

test('a closed group refuses collectives, and may be closed again', async () => {
  const [one] = threadRanks(1).ranks
  const alone = await one.group([0])
  await alone.close()
  await alone.close()
  expect(() => alone.allReduce(new Float32Array(1))).toThrow('threads: the communicator of ranks 0 is closed')
})

test('the job ends with groups open', async () => {
  const { ranks } = threadRanks(2)
  await Promise.all(ranks.map((one) => one.group([1, 0])))
  await expect(Promise.all(ranks.map((one) => one.close()))).resolves.toBeDefined()
})

test('a rank that does not come is named as in the whole job', async () => {
  const [, one, , three] = threadRanks(4, 0.2).ranks
  const [group] = await Promise.all([three.group([3, 1]), one.group([3, 1])])
  await expect(group.allReduce(new Float32Array(4)).wait()).rejects.toThrow('rank 1 did not answer rank 3 for 0.2 s')
})

test('not the rank that waits in another group is named, but that for which it waits', async () => {
  const [zero, one, two] = threadRanks(3, 0.3).ranks
  const [first, second] = [await zero.group([0, 1]), await one.group([1, 2])]
  await one.group([0, 1])
  await two.group([1, 2])
  const waits = [first, second].map((group) => group.allReduce(new Float32Array(4)).wait())
  const ends = await Promise.allSettled(waits)
  expect(ends.map((end) => end.status === 'rejected' && (end.reason as Error).message)).toEqual([
    'rank 2 did not answer rank 0 for 0.3 s',
    'rank 2 did not answer rank 1 for 0.3 s',
  ])
})

test('ranks that wait for each other in different groups are told of it', async () => {
  const { ranks } = threadRanks(2, 0.2)
  const pairs = await Promise.all(ranks.map((one) => one.group([0, 1])))
  const waits = [ranks[0], pairs[1]].map((one) => one.allReduce(new Float32Array(4)).wait())
  const ends = await Promise.allSettled(waits)
  for (const end of ends) {
    expect(end.status === 'rejected' && (end.reason as Error).message).toContain(
      'but all ranks wait: they must begin the same collectives in the same order',
    )
  }
})

test('members that give different lists are told so', async () => {
  const [zero, one] = threadRanks(3).ranks
  await zero.group([0, 1])
  await expect(one.group([1, 0])).rejects.toThrow(
    'group: members must give the same ranks in the same order (rank 1 gave [1, 0], rank 0 [0, 1])',
  )
  await expect(one.group([0, 1, 2])).rejects.toThrow('(rank 1 gave [0, 1, 2], rank 0 [0, 1])')
  // A group without rank 0 may come first.
  expect((await one.group([2, 1])).rank).toBe(1)
})

test.each<[string, number[], string]>([
  ['is empty', [], 'group: ranks must name one rank at least (got [])'],
  ['names a rank that is not there', [0, 4], 'group: ranks must be integers in 0..3 (got [0, 4])'],
  ['names what is no rank', [0, 0.5], 'group: ranks must be integers in 0..3 (got [0, 0.5])'],
  ['names a rank twice', [1, 0, 1], 'group: ranks must differ (got [1, 0, 1])'],
  ['leaves this rank out', [1, 2], 'group: ranks must hold this rank, 0: only members call it (got [1, 2])'],
])('a list that %s is an error', async (_, list, message) => {
  await expect(threadRanks(4).ranks[0].group(list)).rejects.toThrow(message)
})

test('a job of one has one group, itself', async () => {
  const one = await singleCommunicator().group([0])
  const values = Float32Array.of(3)
  await one.allReduce(values).wait()
  expect([one.size, ...values]).toEqual([1, 3])
  await expect(singleCommunicator().group([1])).rejects.toThrow('group: ranks must be integers in 0..0 (got [1])')
})
