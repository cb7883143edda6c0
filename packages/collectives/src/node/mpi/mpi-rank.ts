import type { Shared, Waiter } from '../waiter.js'
import type { MpiLibrary } from './library.js'

/** What the communicators of one process share: that of the job, and those of its groups. Ranks are of the whole job. */
export interface MpiRank {
  readonly mpi: MpiLibrary
  readonly rank: number
  readonly size: number
  readonly patience: number
  readonly waiter: Waiter<Shared>
  /** The communicators that are open. */
  readonly lines: Set<MpiLine>
  /** Done once the group is made that was asked for last. */
  lastGroup: Promise<unknown>
}

/** What a communicator has under way. */
export interface MpiLine {
  /** Moves it on as far as it goes. */
  poll(): void
  isIdle(): boolean
}
