import {
  type Communicator,
  CommunicationError,
  NonFiniteLossError,
  RankZeroError,
  singleCommunicator,
} from '@dit/train-ddp'
import { type Interruption, onInterrupt } from '../terminal/interrupt.js'
import { SharedFailure } from '../terminal/errors.js'
import type { Output } from '../terminal/output.js'

/** This process's, or thread's, place in a job of one or more workers. */
export interface Job {
  readonly communicator: Communicator
  /** Workers on this machine. */
  readonly localSize: number
  /** A line about the workers for the user, or null for a job of one. */
  readonly description: string | null
  /** `host:pid` of every rank, where they are processes. */
  readonly processes?: readonly string[]
  /** Requests to stop, from wherever they come to this worker. */
  interruption(onFirst: () => void): Interruption
}

/** A job of this process alone. */
export function singleJob(): Job {
  return { communicator: singleCommunicator(), localSize: 1, description: null, interruption: onInterrupt }
}

/** The output of rank 0; the other ranks keep silent, but for errors. */
export function outputOfRank(rank: number, output: Output): Output {
  return rank === 0 ? output : { isJson: false, isQuiet: true, terminal: null, line() {}, notice() {}, event() {} }
}

/** Whether an error on this rank only follows from what another rank tells, or is told by rank 0 for all. */
export function isConsequence(rank: number, error: unknown): boolean {
  if (error instanceof RankZeroError) return true
  if (error instanceof CommunicationError) return error.message.endsWith('has failed')
  return rank !== 0 && (error instanceof NonFiniteLossError || error instanceof SharedFailure)
}

/** The largest of the ranks' numbers, on every rank. */
export async function largest(communicator: Communicator, value: number): Promise<number> {
  const values = new Float64Array(communicator.size)
  values[communicator.rank] = value
  await communicator.allReduce(values).wait()
  return Math.max(...values)
}
