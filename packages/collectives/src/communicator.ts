import type { Floats, Numbers } from './numbers.js'

/** A collective under way. The arrays that it was given must be left alone until it is done. */
export interface Transfer {
  /** Moves it on as far as it goes without waiting; true once it is done. */
  poll(): boolean
  /** Waits until it is done. */
  wait(): Promise<void>
}

/** How much a communicator has moved and waited so far; its groups count for themselves. */
export interface Traffic {
  /** Bytes that this rank gave to collectives. */
  readonly bytes: number
  /** Seconds for which this rank had nothing to do but wait for others. */
  readonly waitSeconds: number
}

/**
 * The workers of a job, seen from one of them. Every rank begins the same collectives in the same order and with arrays of the
 * same lengths; none of them blocks until its transfer is waited for. Sums are the same bits on every rank, and in every
 * run with as many ranks.
 */
export interface Communicator {
  /** `single`, `threads`, `openmpi` or `mpich`. */
  readonly name: string
  /** This worker, 0 .. size - 1. */
  readonly rank: number
  readonly size: number
  /** values <- sum of the ranks' values, in place. */
  allReduce(values: Floats): Transfer
  /** part <- part `rank` of the sum of the ranks' values; values `[size * P]`, part `[P]`. */
  reduceScatter(values: Floats, part: Floats): Transfer
  /** values <- the ranks' parts, joined in rank order; part `[P]`, values `[size * P]`. */
  allGather(part: Floats, values: Floats): Transfer
  /** values <- those of rank `root`, in place. */
  broadcast(values: Floats | Uint8Array, root?: number): Transfer
  /** Where ranks can reach each other's memory: collectives without an array between an engine and the others. */
  readonly direct?: DirectCollectives
  /**
   * Collectives for code that cannot be asynchronous, such as a layer within a pass. Absent where a rank may not wait without an event
   * loop: on the main thread of a page, and where ranks share a thread by design.
   */
  readonly blocking?: BlockingCollectives
  /**
   * A communicator of some of the ranks: of a row or a column, where ranks form a grid. Transfers of different groups are
   * independent of each other.
   *
   * Only the members call it, each with the same list, and those of several groups in the same order. A rank of the group is its
   * index in the list. Errors name ranks of the whole job.
   *
   * @param ranks ranks of this communicator, each once, this one among them
   * @throws RangeError for a list that is empty, holds a rank twice, leaves this one out, or differs from another member's
   * @throws CommunicationError where a member does not come; on threads only once the group is used
   */
  group(ranks: readonly number[]): Promise<Communicator>
  /** Moves on everything that this rank has under way, in groups too: called now and then between other work. */
  poll(): void
  traffic(): Traffic
  /**
   * Ends this rank's part in the job, or in the group, once all its transfers are done. Every rank calls it. The end of the job
   * is that of its groups.
   */
  close(): Promise<void>
}

/** Collectives as those of `Communicator`, of numbers wherever they lie. These are read and written while others work. */
export interface DirectCollectives {
  allReduce(values: Numbers): Transfer
  reduceScatter(values: Numbers, part: Numbers): Transfer
  allGather(part: Numbers, values: Numbers): Transfer
}

/**
 * Collectives as those of `Communicator`, which return when they are done. They take their turn after all that was begun before, which
 * may still be under way and moves on meanwhile.
 *
 * The event loop stands still: no timer, signal handler or message of this thread runs until the collective ends. Each rank needs
 * a thread of its own.
 *
 * @throws CommunicationError as late as `wait` of a transfer does, where another rank is missing; it names the rank
 */
export interface BlockingCollectives {
  allReduce(values: Floats): void
  reduceScatter(values: Floats, part: Floats): void
  allGather(part: Floats, values: Floats): void
  broadcast(values: Floats | Uint8Array, root?: number): void
}

/** A rank is gone, has failed, or has not answered for as long as the communicator's patience. Names the rank. */
export class CommunicationError extends Error {
  override readonly name = 'CommunicationError'
}

/** Throws RangeError unless `root` is a rank. */
export function checkRoot(size: number, root: number): void {
  if (!(Number.isInteger(root) && root >= 0 && root < size)) {
    throw new RangeError(`broadcast: root must be a rank, 0 to ${size - 1} (got ${root})`)
  }
}

/** Checks what every collective asks of its arrays. */
export function checkParts(who: string, size: number, values: Floats, part: Floats): void {
  if (values.length !== size * part.length) {
    throw new RangeError(`${who}: values must hold ${size} parts of ${part.length} (got ${values.length})`)
  }
  if (values.constructor !== part.constructor) {
    throw new TypeError(`${who}: values and part must have one type (got ${typeOf(values)} and ${typeOf(part)})`)
  }
}

/** Checks a list of the ranks of a group, and gives it a copy of its own. */
export function checkGroup(ranks: readonly number[], { rank, size }: Pick<Communicator, 'rank' | 'size'>): number[] {
  const list = `[${ranks.join(', ')}]`
  if (ranks.length === 0) throw new RangeError('group: ranks must name one rank at least (got [])')
  if (!ranks.every((one) => Number.isSafeInteger(one) && one >= 0 && one < size)) {
    throw new RangeError(`group: ranks must be integers in 0..${size - 1} (got ${list})`)
  }
  if (new Set(ranks).size < ranks.length) throw new RangeError(`group: ranks must differ (got ${list})`)
  if (!ranks.includes(rank)) {
    throw new RangeError(`group: ranks must hold this rank, ${rank}: only members call it (got ${list})`)
  }
  return [...ranks]
}

/** Two members that make different groups at a time. Ranks are of the whole job. */
export function groupsDiffer(
  rank: number,
  own: readonly number[],
  other: number,
  theirs: readonly number[],
): RangeError {
  return new RangeError(
    `group: members must give the same ranks in the same order (rank ${rank} gave [${own.join(', ')}], rank ${other} [${theirs.join(', ')}])`,
  )
}

function typeOf(values: Floats): string {
  return values instanceof Float32Array ? 'Float32Array' : 'Float64Array'
}
