import { writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { checkGroup, type Communicator } from '../../communicator.js'
import { START_PATIENCE } from '../wait-until.js'
import { mpiCollectives } from './collectives.js'
import { type Shared, waiter } from '../waiter.js'
import { inTime } from './in-time.js'
import { type MpiPlace, mpiPlace } from './launcher.js'
import { loadMpi, type MpiLibrary } from './library.js'
import type { MpiRank } from './mpi-rank.js'
import { nap } from './nap.js'
import { rollCall } from './roll-call.js'
import { createGroup } from './sub-group.js'

/** Only the thread that called MPI_Init_thread calls MPI; Node has others. */
const THREAD_FUNNELED = 1

/** Milliseconds that a launcher has to pass on what a process said before it aborts. */
const PASS_ON = 300

/** Seconds for MPI_Abort, which ends the process from within: libraries have been seen to hang there on a busy machine. */
const ABORT_SECONDS = 5

export interface MpiOptions {
  /** Seconds without an answer after which a rank counts as lost (default 120). */
  readonly patience?: number
  /** The same for the others to join, and for their first answer (default 60, or `patience` if that is more). */
  readonly startPatience?: number
  /** Where the launcher has put this process; by default what the environment says. */
  readonly place?: MpiPlace
}

/** A rank of an MPI job. */
export interface MpiCommunicator extends Communicator {
  /** First line of what the library says of itself. */
  readonly version: string
  /** Ends all processes of the job at once, with an exit code. Does not return. */
  abort(code: number): never
}

/**
 * Joins the job that `mpirun` or `srun` has started: MPI_COMM_WORLD through the launcher's own libmpi. There is one in a process.
 *
 * A process that ends without `close` ends the whole job with a non-zero code: otherwise the others would wait for it.
 *
 * @throws Error where no launcher has started this process, or the library is not the launcher's
 */
export async function mpiCommunicator({
  patience = 120,
  startPatience = START_PATIENCE,
  place,
}: MpiOptions = {}): Promise<MpiCommunicator> {
  const here = place ?? mpiPlace()
  if (here === null) {
    throw new Error('mpi: no MPI launcher has started this process; run it as `mpirun -n 2 …` or with `srun --mpi=…`')
  }
  const mpi = await loadMpi(here.libraries)
  const { call, handles } = mpi
  const limit = Math.max(patience, startPatience)
  const late = `mpi: not all processes of the job have joined it within ${limit} s: one may have ended before`
  await inTime(limit, late, () => initialise(mpi))
  // Hydra, MPICH's launcher, has been seen to end a job and to leave a rank that does not answer behind, for ever. Others start
  // processes from threads that come and go, whose end would count as theirs.
  if (process.env.MPI_LOCALNRANKS !== undefined) mpi.endWithParent()
  const rank = readInt((out) => call.commRank(handles.world, out))
  const size = readInt((out) => call.commSize(handles.world, out))
  let isClosed = false
  const abort = (code: number) => {
    mpi.endAfter(ABORT_SECONDS)
    // Launchers end a job at once, and lose what they have not passed on by then: the reason for its end.
    nap(PASS_ON)
    call.abort(handles.world, code)
  }
  let hasTold = false
  const onExit = (code: number) => {
    if (isClosed) return
    if (!hasTold) writeSync(2, `rank ${rank} ended with exit code ${code} before the job was done\n`)
    abort(code === 0 ? 1 : code)
  }
  process.on('exit', onExit)
  // The job ends before Node tells of an error that nobody caught.
  const onError = (error: Error) => {
    hasTold = true
    writeSync(2, `rank ${rank}: ${error.message}\n`)
  }
  process.on('uncaughtExceptionMonitor', onError)
  if (here.size !== null && here.size !== size) {
    throw new Error(
      `mpi: the launcher has started ${here.size} processes, but ${mpi.version.split(',')[0]} sees ${size}: it is not the launcher's library. Name that in DIT_MPI_LIBRARY`,
    )
  }

  const waits: Shared[] = []
  const roll = rollCall(mpi, rank, size, waits)
  const grace = Math.min(10, Math.max(1, patience / 4))
  const self: MpiRank = {
    mpi,
    rank,
    size,
    patience,
    waiter: waiter({
      rank,
      patience,
      startPatience: limit,
      pause: () => nap(0.02),
      missing: ({ ranks }) => roll.missing(ranks, grace),
      reasons: ' (killed, frozen, or busy with something else)',
      waits,
      onTurn: () => roll.answer(),
    }),
    lines: new Set(),
    lastGroup: Promise.resolve(),
  }
  const all = Array.from({ length: size }, (_, of) => of)
  return {
    ...communicatorOf(self, handles.world, all),
    version: mpi.version,
    async close() {
      if (isClosed) return
      for (const line of self.lines) while (!line.isIdle()) line.poll()
      roll.close()
      self.lines.clear()
      isClosed = true
      process.off('exit', onExit)
      process.off('uncaughtExceptionMonitor', onError)
      call.finalize()
    },
    abort(code) {
      isClosed = true
      abort(code)
      // MPI_Abort returns where the launcher is gone.
      process.exit(code)
    },
  }
}

/** @param ranks those of the communicator, as ranks of the whole job */
function communicatorOf(self: MpiRank, comm: bigint, ranks: readonly number[]): Communicator {
  const [rank, size] = [ranks.indexOf(self.rank), ranks.length]
  const line = mpiCollectives(self, comm, ranks)
  return {
    name: self.mpi.name,
    rank,
    size,
    ...line.collectives,
    async group(members) {
      const ofJob = checkGroup(members, { rank, size }).map((of) => ranks[of])
      // One after the other: members of two groups must not wait for each other, each in another of them.
      const made = self.lastGroup.then(() => createGroup(self, ofJob))
      self.lastGroup = made.catch(() => {})
      return communicatorOf(self, await made, ofJob)
    },
    poll() {
      for (const one of self.lines) one.poll()
    },
    async close() {
      if (!self.lines.has(line)) return
      await self.waiter.wait({ ranks }, () => {
        line.poll()
        return line.isIdle()
      })
      self.lines.delete(line)
      self.mpi.call.commFree(BigUint64Array.of(comm))
    },
  }
}

/** `host:pid` of every rank, which a launcher's message about a dead process is compared with. Every rank calls it. */
export async function processesOf(communicator: Communicator): Promise<string[]> {
  const WIDTH = 64
  const names = new Uint8Array(WIDTH * communicator.size)
  for (let rank = 0; rank < communicator.size; rank++) {
    const own = names.subarray(rank * WIDTH, (rank + 1) * WIDTH)
    if (rank === communicator.rank) {
      // Of a long host name the end goes: the process number must not.
      const number = `:${process.pid}`
      new TextEncoder().encodeInto(`${hostname().slice(0, WIDTH - number.length)}${number}`, own)
    }
    await communicator.broadcast(own, rank).wait()
  }
  const text = new TextDecoder()
  return Array.from({ length: communicator.size }, (_, rank) =>
    text.decode(names.subarray(rank * WIDTH, (rank + 1) * WIDTH)).replaceAll('\0', ''),
  )
}

function initialise({ call, version }: MpiLibrary): void {
  if (readInt((out) => call.initialized(out)) !== 0) throw new Error('mpi: this process has joined its job already')
  const provided = readInt((out) => call.initThread(null, null, THREAD_FUNNELED, out))
  if (provided < THREAD_FUNNELED) {
    throw new Error(`mpi: ${version} does not allow a process with threads (level ${provided})`)
  }
}

function readInt(call: (out: Int32Array) => void): number {
  const out = new Int32Array(1)
  call(out)
  return out[0]
}
