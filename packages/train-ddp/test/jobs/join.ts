import { fileURLToPath } from 'node:url'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import type { Communicator } from '../../src/index.js'
import { mpiCommunicator, mpiPlace, threadCommunicator, type ThreadGroup, threadGroup } from '../../src/node/index.js'

/**
 * Runs a program's `main` on every rank: in the processes that MPI has started, or in threads of this one. A thread that
 * throws ends the process with code 1.
 */
export async function join(
  program: string,
  main: (communicator: Communicator) => Promise<void>,
  patience = 60,
): Promise<void> {
  if (mpiPlace() !== null) return onCommunicator(await mpiCommunicator({ patience }), main)
  if (!isMainThread) {
    const { group, rank } = workerData as { group: ThreadGroup; rank: number }
    return onCommunicator(threadCommunicator(group, rank, { patience }), main)
  }
  const size = Number(process.argv[3])
  const group = threadGroup(size, { chunkBytes: 4096, slots: 3 })
  const argv = process.argv.slice(2)
  for (let rank = 0; rank < size; rank++) {
    const worker = new Worker(fileURLToPath(program), { argv, workerData: { group, rank } })
    worker.on('error', (error) => {
      console.error(`rank ${rank}: ${error.message}`)
      process.exit(1)
    })
  }
}

async function onCommunicator(
  communicator: Communicator,
  main: (communicator: Communicator) => Promise<void>,
): Promise<void> {
  await main(communicator)
  await communicator.close()
}
