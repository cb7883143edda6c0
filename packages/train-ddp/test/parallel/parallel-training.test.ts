import { describe, test } from 'vitest'
import { expectLikeOne, expectSameShardedSums } from './train-like-one.js'

// Other numbers of workers, and processes: parallel-training.whole.test.ts.
describe('2 workers train like one, with the same bits for every run and with recomputation', () => {
  test('2 threads', () => expectLikeOne(2, null))
  test('2 threads, sharded', () => expectSameShardedSums(2, null))
})
