import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Text of a thread that ends the process after `seconds`, unless it is ended itself. The thread that waits in MPI cannot. */
const WATCH = `
const { parentPort, workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
setTimeout(() => {
  writeSync(2, workerData.message + '\\n')
  process.kill(process.pid, 'SIGKILL')
}, 1000 * workerData.seconds)
parentPort.postMessage('watching')
`

/**
 * Runs a blocking call of MPI that may never return, such as MPI_Init where another process of the job is gone before it has joined:
 * MPICH's launcher does not end the job then. After `seconds` the process says `message` and kills itself, which every
 * launcher takes for the end of the job.
 */
export async function inTime<T>(seconds: number, message: string, call: () => T): Promise<T> {
  const watch = new Worker(WATCH, { eval: true, execArgv: [], workerData: { seconds, message } })
  await once(watch, 'message')
  try {
    return call()
  } finally {
    await watch.terminate()
  }
}
