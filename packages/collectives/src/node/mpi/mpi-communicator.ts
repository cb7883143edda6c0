import { writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { checkParts, CommunicationError, type Communicator, type Transfer } from '../../communicator.js'
import type { Floats } from '../../numbers.js'
import { seconds } from '../clock.js'
import { START_PATIENCE, waitUntil } from '../wait-until.js'
import { inTime } from './in-time.js'
import { type MpiPlace, mpiPlace } from './launcher.js'
import { loadMpi, type MpiLibrary } from './library.js'

/** Elements of an all-reduce or a broadcast that are one request: a long one moves on in pieces while others work. */
const PIECE = 2 ** 20

/** Only the thread that called MPI_Init_thread calls MPI; Node has others. */
const THREAD_FUNNELED = 1

/** Milliseconds that a launcher has to pass on what a process said before it aborts. */
const PASS_ON = 300

/** Seconds for MPI_Abort, which ends the process from within: libraries have been seen to hang there on a busy machine. */
const ABORT_SECONDS = 5

/** Tag of the messages that find out who is still there. */
const PROBE_TAG = 7043

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
    Atomics.wait(NAP, 0, 0, PASS_ON)
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

  /** Requests under way, in order. Arrays are held until MPI is done with them. */
  const requests: { readonly handle: BigUint64Array; readonly arrays: unknown; isDone: boolean }[] = []
  const flag = new Int32Array(1)
  let [bytes, waitSeconds] = [0, 0]
  /** A transfer has been waited for, so that all others have started. */
  let hasMet = false
  const begin = (arrays: unknown, post: (request: BigUint64Array) => void) => {
    const request = { handle: new BigUint64Array(1), arrays, isDone: false }
    post(request.handle)
    requests.push(request)
    return request
  }
  const poll = () => {
    // The library moves all requests on whichever is asked for.
    while (requests.length > 0) {
      call.test(requests[0].handle, flag, handles.statusIgnore)
      if (flag[0] === 0) return
      requests.shift()!.isDone = true
    }
  }
  const pause = () => void Atomics.wait(NAP, 0, 0, 0.02)
  const transfer = (parts: readonly { readonly isDone: boolean }[]): Transfer => {
    const last = parts.at(-1)
    const isDone = () => {
      if (last?.isDone === false) poll()
      return last?.isDone !== false
    }
    return {
      poll: isDone,
      async wait() {
        const until = hasMet ? patience : limit
        waitSeconds += await waitUntil(isDone, { pause, patience: until, onLost: lost })
        hasMet = true
      },
    }
  }

  /** Asks every rank whether it waits as well, and names those that do not say so. */
  const lost = async (): Promise<never> => {
    const others = Array.from({ length: size }, (_, of) => of).filter((of) => of !== rank)
    const word = new Uint8Array(1)
    const answers = others.map((of) => {
      const answer = { of, handle: new BigUint64Array(1), word: new Uint8Array(1), isThere: false }
      call.irecv(answer.word, 1, handles.byte, of, PROBE_TAG, handles.world, answer.handle)
      return answer
    })
    for (const of of others) call.isend(word, 1, handles.byte, of, PROBE_TAG, handles.world, new BigUint64Array(1))
    const grace = Math.min(10, Math.max(1, patience / 4))
    const until = seconds() + grace
    while (seconds() < until && answers.some(({ isThere }) => !isThere)) {
      for (const answer of answers) {
        if (answer.isThere) continue
        call.test(answer.handle, flag, handles.statusIgnore)
        answer.isThere = flag[0] !== 0
      }
      Atomics.wait(NAP, 0, 0, 1)
    }
    const missing = answers.filter(({ isThere }) => !isThere).map(({ of }) => of)
    throw new CommunicationError(
      missing.length === 0
        ? `rank ${rank} waited ${patience} s for a transfer, but all ranks are there`
        : `rank ${missing.join(', ')} did not answer rank ${rank} for ${patience} s (killed, frozen, or busy with something else)`,
    )
  }

  const typeOf = (values: Floats) => (values instanceof Float32Array ? handles.float : handles.double)
  const { world, sum, inPlace } = handles
  return {
    name: mpi.name,
    version: mpi.version,
    rank,
    size,
    allReduce(values) {
      bytes += values.byteLength
      return transfer(
        pieces(values).map((piece) =>
          begin(piece, (request) => call.iallreduce(inPlace, piece, piece.length, typeOf(values), sum, world, request)),
        ),
      )
    },
    reduceScatter(values, part) {
      checkParts('reduceScatter', size, values, part)
      bytes += values.byteLength
      const post = (request: BigUint64Array) =>
        call.ireduceScatter(values, part, part.length, typeOf(values), sum, world, request)
      return transfer([begin([values, part], post)])
    },
    allGather(part, values) {
      checkParts('allGather', size, values, part)
      bytes += part.byteLength
      const type = typeOf(part)
      const post = (request: BigUint64Array) =>
        call.iallgather(part, part.length, type, values, part.length, type, world, request)
      return transfer([begin([values, part], post)])
    },
    broadcast(values, root = 0) {
      const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      if (rank === root) bytes += raw.byteLength
      return transfer(
        pieces(raw, 4 * PIECE).map((piece) =>
          begin(piece, (request) => call.ibcast(piece, piece.length, handles.byte, root, world, request)),
        ),
      )
    },
    poll,
    traffic: () => ({ bytes, waitSeconds }),
    async close() {
      if (isClosed) return
      while (requests.length > 0) poll()
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

const NAP = new Int32Array(new SharedArrayBuffer(4))

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

function pieces<T extends Floats | Uint8Array>(values: T, most = PIECE): T[] {
  const count = Math.ceil(values.length / most)
  return Array.from({ length: count }, (_, i) => values.subarray(i * most, (i + 1) * most) as T)
}
