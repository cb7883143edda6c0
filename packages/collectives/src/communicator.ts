import type { Floats, Numbers } from './numbers.js'

/** A collective under way. The arrays that it was given must be left alone until it is done. */
export interface Transfer {
  /** Moves it on as far as it goes without waiting; true once it is done. */
  poll(): boolean
  /** Waits until it is done. */
  wait(): Promise<void>
}

/** How much a communicator has moved and waited so far. */
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
  /** Moves on everything that is under way: called now and then between other work. */
  poll(): void
  traffic(): Traffic
  /** Ends this rank's part in the job, once all its transfers are done. Every rank calls it. */
  close(): Promise<void>
}

/** Collectives as those of `Communicator`, of numbers wherever they lie. These are read and written while others work. */
export interface DirectCollectives {
  allReduce(values: Numbers): Transfer
  reduceScatter(values: Numbers, part: Numbers): Transfer
  allGather(part: Numbers, values: Numbers): Transfer
}

/** A rank is gone, has failed, or has not answered for as long as the communicator's patience. Names the rank. */
export class CommunicationError extends Error {
  override readonly name = 'CommunicationError'
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

function typeOf(values: Floats): string {
  return values instanceof Float32Array ? 'Float32Array' : 'Float64Array'
}
