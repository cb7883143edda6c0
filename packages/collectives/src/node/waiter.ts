import { CommunicationError } from '../communicator.js'
import { blockUntil, waitUntil } from './wait-until.js'

/** Something that takes other ranks, named as in the whole job. */
export interface Shared {
  readonly ranks: readonly number[]
}

/** How a rank waits for others, in all of its communicators. */
export interface Waiter<T extends Shared> {
  /**
   * @returns seconds waited
   * @throws CommunicationError that names who is missing
   */
  wait(shared: T, isDone: () => boolean): Promise<number>
  /** The same without a turn of the event loop. */
  block(shared: T, isDone: () => boolean): number
}

export interface WaiterOptions<T extends Shared> {
  /** This rank, in the whole job. */
  readonly rank: number
  /** Seconds that a rank is waited for, and that one is which has never answered. */
  readonly patience: number
  readonly startPatience: number
  /** Gives the processor away for a moment. */
  readonly pause: () => void
  /** Ranks that are waited for in vain, and what may have happened to them. */
  readonly missing: (shared: T) => readonly number[]
  readonly reasons?: string
  /** What is waited for, in the order of the waits: changed at the start and the end of each. */
  readonly waits: T[]
  readonly onChange?: () => void
  /** Called now and then during a wait. */
  readonly onTurn?: () => void
}

export function waiter<T extends Shared>(options: WaiterOptions<T>): Waiter<T> {
  const { rank, patience, startPatience, pause, missing, reasons = '', waits, onChange, onTurn } = options
  /** Ranks that have answered. */
  const met = new Set([rank])

  const begin = (shared: T) => {
    const limit = shared.ranks.every((of) => met.has(of)) ? patience : startPatience
    waits.push(shared)
    onChange?.()
    const onLost = () => {
      const lost = missing(shared)
      throw new CommunicationError(
        lost.length === 0
          ? `rank ${rank} waited ${limit} s for a transfer, but all ranks wait: they must begin the same collectives in the same order`
          : `rank ${lost.join(', ')} did not answer rank ${rank} for ${limit} s${reasons}`,
      )
    }
    return { pause, patience: limit, onLost, onTurn }
  }
  // A wait in vain stays in the list: that this rank has given up is no reason to blame it.
  const end = (shared: T) => {
    waits.splice(waits.indexOf(shared), 1)
    onChange?.()
  }
  const meet = ({ ranks }: T) => {
    for (const of of ranks) met.add(of)
  }

  return {
    async wait(shared, isDone) {
      let waited = 0
      if (!isDone()) {
        waited = await waitUntil(isDone, begin(shared))
        end(shared)
      }
      meet(shared)
      return waited
    },
    block(shared, isDone) {
      let waited = 0
      if (!isDone()) {
        waited = blockUntil(isDone, begin(shared))
        end(shared)
      }
      meet(shared)
      return waited
    },
  }
}
