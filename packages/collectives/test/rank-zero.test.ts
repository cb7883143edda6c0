import { expect, test } from 'vitest'
import { CommunicationError, onRankZero, RankZeroError, singleCommunicator } from '../src/index.js'
import { localCommunicators } from '../../../test/support/local-communicators.js'

const fail = async () => {
  throw new RangeError('the batch is too small')
}

test('an error of rank 0 reaches all ranks, on the others as what rank 0 tells', async () => {
  const ends = await Promise.allSettled(localCommunicators(3).map((rank) => onRankZero(rank, fail, async () => {})))
  const reasons = ends.map((end) => (end.status === 'rejected' ? (end.reason as Error) : null))
  expect(reasons[0]).toBeInstanceOf(RangeError)
  for (const reason of reasons.slice(1)) {
    expect(reason).toBeInstanceOf(RankZeroError)
    expect(reason?.message).toBe('rank 0 failed: the batch is too small')
  }
})

test('where another rank ends the job before rank 0 has told all, its own error stays', async () => {
  const gone = { poll: () => false, wait: () => Promise.reject(new CommunicationError('rank 4 has failed')) }
  const communicator = { ...singleCommunicator(), size: 5, broadcast: () => gone }
  await expect(onRankZero(communicator, fail, async () => {})).rejects.toThrow('the batch is too small')
})
