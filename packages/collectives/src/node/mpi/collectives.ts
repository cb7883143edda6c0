import { type Begin, blockingCollectives, type BlockingTransfer } from '../../blocking.js'
import { checkParts, checkRoot, type Communicator } from '../../communicator.js'
import type { Floats } from '../../numbers.js'
import type { MpiLine, MpiRank } from './mpi-rank.js'

/** Elements of an all-reduce or a broadcast that are one request: a long one moves on in pieces while others work. */
const PIECE = 2 ** 20

/** A communicator of MPI without its groups and its end. */
export interface MpiCollectives extends MpiLine {
  readonly collectives: Begin & Required<Pick<Communicator, 'blocking' | 'traffic'>>
}

/** @param ranks the communicator's, as ranks of the whole job */
export function mpiCollectives(self: MpiRank, comm: bigint, ranks: readonly number[]): MpiCollectives {
  const { call, handles } = self.mpi
  const { sum, inPlace } = handles
  const rank = ranks.indexOf(self.rank)
  const size = ranks.length
  /** Requests under way, in order. Arrays are held until MPI is done with them. */
  const requests: { readonly handle: BigUint64Array; readonly arrays: unknown; isDone: boolean }[] = []
  const flag = new Int32Array(1)
  let [bytes, waitSeconds] = [0, 0]

  const poll = () => {
    // The library moves all requests on, of every communicator, whichever is asked for.
    while (requests.length > 0) {
      call.test(requests[0].handle, flag, handles.statusIgnore)
      if (flag[0] === 0) return
      requests.shift()!.isDone = true
    }
  }
  const begin = (arrays: unknown, post: (request: BigUint64Array) => void) => {
    if (!self.lines.has(line)) throw new Error(`mpi: the communicator of ranks ${ranks.join(', ')} is closed`)
    const request = { handle: new BigUint64Array(1), arrays, isDone: false }
    post(request.handle)
    requests.push(request)
    return request
  }
  const transfer = (parts: readonly { readonly isDone: boolean }[]): BlockingTransfer => {
    const last = parts.at(-1)
    const isDone = () => {
      if (last?.isDone === false) poll()
      return last?.isDone !== false
    }
    return {
      poll: isDone,
      async wait() {
        waitSeconds += await self.waiter.wait({ ranks }, isDone)
      },
      finish() {
        waitSeconds += self.waiter.block({ ranks }, isDone)
      },
    }
  }

  const typeOf = (values: Floats) => (values instanceof Float32Array ? handles.float : handles.double)
  const collectives: Begin = {
    allReduce(values) {
      bytes += values.byteLength
      return transfer(
        pieces(values).map((piece) =>
          begin(piece, (request) => call.iallreduce(inPlace, piece, piece.length, typeOf(values), sum, comm, request)),
        ),
      )
    },
    reduceScatter(values, part) {
      checkParts('reduceScatter', size, values, part)
      bytes += values.byteLength
      const post = (request: BigUint64Array) =>
        call.ireduceScatter(values, part, part.length, typeOf(values), sum, comm, request)
      return transfer([begin([values, part], post)])
    },
    allGather(part, values) {
      checkParts('allGather', size, values, part)
      bytes += part.byteLength
      const type = typeOf(part)
      const post = (request: BigUint64Array) =>
        call.iallgather(part, part.length, type, values, part.length, type, comm, request)
      return transfer([begin([values, part], post)])
    },
    broadcast(values, root = 0) {
      checkRoot(size, root)
      const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      if (rank === root) bytes += raw.byteLength
      return transfer(
        pieces(raw, 4 * PIECE).map((piece) =>
          begin(piece, (request) => call.ibcast(piece, piece.length, handles.byte, root, comm, request)),
        ),
      )
    },
  }
  const line: MpiCollectives = {
    collectives: {
      ...collectives,
      blocking: blockingCollectives(collectives),
      traffic: () => ({ bytes, waitSeconds }),
    },
    poll,
    isIdle: () => requests.length === 0,
  }
  self.lines.add(line)
  return line
}

function pieces<T extends Floats | Uint8Array>(values: T, most = PIECE): T[] {
  const count = Math.ceil(values.length / most)
  return Array.from({ length: count }, (_, i) => values.subarray(i * most, (i + 1) * most) as T)
}
