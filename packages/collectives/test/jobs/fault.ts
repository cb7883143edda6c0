import { join } from '../../../../test/support/join.js'

/** What happens to rank 1 in the midst of its work. */
export type Fault = 'throw' | 'exit' | 'exit-0' | 'block' | 'memory' | 'kill' | 'stop' | 'launcher'

const FAULTS: Readonly<Record<Fault, () => void>> = {
  throw() {
    throw new Error('a fault of the test')
  },
  exit: () => process.exit(3),
  'exit-0': () => process.exit(0),
  block() {
    for (;;);
  },
  memory() {
    const rows: number[][] = []
    for (;;) rows.push(Array.from({ length: 10_000 }, (_, i) => i + rows.length))
  },
  kill: () => process.kill(process.pid, 'SIGKILL'),
  stop: () => process.kill(process.pid, 'SIGSTOP'),
  launcher() {
    // What was printed so far is passed on.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    process.kill(process.ppid, 'SIGKILL')
    for (;;);
  },
}

const job = JSON.parse(process.argv[2]) as { fault: Fault; isBlocking?: boolean; patience?: number }
const { fault, isBlocking } = job

/** Seconds without an answer after which a rank is given up; where that is not the fault, a busy machine has all the time it needs. */
const PATIENCE = job.patience ?? (fault === 'block' || fault === 'stop' ? 8 : 60)

await join(
  import.meta.url,
  async (communicator) => {
    for (let step = 0; step < 20; step++) {
      if (step === 5 && communicator.rank === 1) FAULTS[fault]()
      const values = new Float32Array(3000)
      if (isBlocking) communicator.blocking!.allReduce(values)
      else await communicator.allReduce(values).wait()
      if (communicator.rank === 0) console.log(`step ${step}`)
    }
  },
  PATIENCE,
)
