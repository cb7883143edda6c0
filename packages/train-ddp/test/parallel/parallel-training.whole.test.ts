import { describe, test } from 'vitest'
import { testNeeding } from '../../../../test/require.js'
import { findMpi } from '../../../../test/support/find-mpi.js'
import { expectLikeOne, expectSameShardedSums } from './train-like-one.js'

describe('2 and 4 workers train like one, with the same bits for every run and with recomputation', () => {
  test('1 worker, however it computes', () => expectLikeOne(1, null))
  test('4 threads', () => expectLikeOne(4, null))
  test('4 threads, sharded', () => expectSameShardedSums(4, null))
  for (const name of ['openmpi', 'mpich'] as const) {
    const mpi = findMpi(name)
    const test = testNeeding('mpi', mpi !== null, `no mpirun of ${name}`)
    test.each([2, 4])(`%i processes of ${name}`, (workers) => expectLikeOne(workers, mpi))
    test(`2 processes of ${name}, sharded`, () => expectSameShardedSums(2, mpi))
  }
})
