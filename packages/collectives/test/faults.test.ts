import { describe, test } from 'vitest'
import { expectThreadFault } from './fault-job.js'

// The other faults, and those of processes: faults.whole.test.ts.
describe('a thread that fails ends the job at once, and is named', () => {
  test('throw', () => expectThreadFault('throw', 'rank 1: a fault of the test', 1))
})
