import type { Communicator } from '@dit/collectives'
import { mpiCommunicator, mpiPlace, runThreads, threadGroup, threadSeat } from '@dit/collectives/node'

/** Runs a program's `main` on every rank: in the processes that MPI has started, or in threads of this one. */
export async function join(
  program: string,
  main: (communicator: Communicator) => Promise<void>,
  patience = 60,
): Promise<void> {
  const communicator =
    mpiPlace() === null ? threadSeat({ patience })?.communicator : await mpiCommunicator({ patience })
  if (communicator === undefined) return start(program)
  await main(communicator)
  await communicator.close()
}

async function start(program: string): Promise<void> {
  const size = Number(process.argv[3])
  const group = threadGroup(size, { chunkBytes: 4096, slots: 3 })
  try {
    const resourceLimits = { maxOldGenerationSizeMb: 96 }
    process.exitCode = await runThreads(new URL(program), { size, group, resourceLimits }).ended
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = (error as { exitCode?: number }).exitCode ?? 1
  }
}
