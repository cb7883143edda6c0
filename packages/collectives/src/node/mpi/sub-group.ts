import { groupsDiffer } from '../../communicator.js'
import { inTime } from './in-time.js'
import type { MpiRank } from './mpi-rank.js'

/** Tags of the lists that members of a new group exchange, and of MPI_Comm_create_group. */
const [LIST_TAG, CREATE_TAG] = [7044, 7045]

/** Seconds for MPI_Comm_create_group at least: all members are there, but a busy machine lets some of them start late. */
const CREATE_SECONDS = 10

/**
 * A communicator of MPI for some ranks of the job. MPI makes one in a call that returns when all members have made it: so they first
 * tell each other their lists, which a missing member does not hold up for ever.
 *
 * @param ranks members, as ranks of the whole job, in the order of their ranks in the group
 * @throws RangeError where the list of another member differs
 * @throws CommunicationError that names a member which does not come
 */
export async function createGroup(self: MpiRank, ranks: readonly number[]): Promise<bigint> {
  await agree(self, ranks)
  const { call, handles } = self.mpi
  const [world, part, made] = [new BigUint64Array(1), new BigUint64Array(1), new BigUint64Array(1)]
  const limit = Math.max(self.patience, CREATE_SECONDS)
  const late = `mpi: ranks ${ranks.join(', ')} have not become a group within ${limit} s: one may have ended meanwhile`
  await inTime(limit, late, () => {
    call.commGroup(handles.world, world)
    call.groupIncl(world[0], ranks.length, Int32Array.from(ranks), part)
    call.commCreateGroup(handles.world, part[0], CREATE_TAG, made)
    call.groupFree(part)
    call.groupFree(world)
  })
  return made[0]
}

/** Waits for the lists of all members, and compares them. */
async function agree(self: MpiRank, ranks: readonly number[]): Promise<void> {
  const { mpi, rank, size } = self
  const { call, handles } = mpi
  const others = ranks.filter((of) => of !== rank)
  // As many numbers for every list: how long that of another is, nobody knows.
  const own = new Int32Array(1 + size)
  own.set([ranks.length, ...ranks])
  const flag = new Int32Array(1)
  const messages = others.map((of) => {
    const [list, sent, received] = [new Int32Array(1 + size), new BigUint64Array(1), new BigUint64Array(1)]
    call.irecv(list, list.byteLength, handles.byte, of, LIST_TAG, handles.world, received)
    call.isend(own, own.byteLength, handles.byte, of, LIST_TAG, handles.world, sent)
    return { of, list, pending: [received, sent], own }
  })
  const isDone = (request: BigUint64Array) => {
    call.test(request, flag, handles.statusIgnore)
    return flag[0] !== 0
  }
  await self.waiter.wait({ ranks }, () => {
    for (const { pending } of messages) while (pending.length > 0 && isDone(pending[0])) pending.shift()
    return messages.every(({ pending }) => pending.length === 0)
  })
  for (const { of, list } of messages) {
    const theirs = list.subarray(1, 1 + list[0])
    if (theirs.length !== ranks.length || !theirs.every((one, i) => one === ranks[i])) {
      throw groupsDiffer(rank, ranks, of, [...theirs])
    }
  }
}
