import type { CaseFiles } from './case-files.js'
import type { CaseSpec } from './cases.js'

/**
 * What passes between the bench and its workers: one JSON object a line, an answer to every question. Workers are processes,
 * so that the memory of each is its own, and compute only while they are asked to.
 */
export type Question =
  /** Start the engine. */
  | { readonly ask: 'open'; readonly engine: string; readonly threads: number }
  /** Read weights and inputs. */
  | { readonly ask: 'load'; readonly spec: CaseSpec; readonly files: CaseFiles }
  /** Run the case and give the figures that engines must agree on. */
  | { readonly ask: 'verify' }
  /** Forget the peak of what came before. */
  | { readonly ask: 'settle' }
  /** One repetition. */
  | { readonly ask: 'run' }
  | { readonly ask: 'memory' }

export interface Opened {
  /** Version and features, for the record. */
  readonly description: string
  readonly threads: number
  /** Resident size of the process with nothing but the engine. */
  readonly idleBytes: number
}

export interface Loaded {
  readonly stateBytes: number
}

export interface Verified {
  readonly values: readonly number[] | null
}

export interface Settled {
  /** Whether the peak begins anew; otherwise it includes the start of the process. */
  readonly isPeakReset: boolean
}

export interface Ran {
  readonly ms: number
  /** Time on all processors together. */
  readonly cpuMs: number
}

export interface MemoryReport {
  readonly peakBytes: number
  /** The engine's own count; null where it keeps none. */
  readonly backendPeakBytes: number | null
}

export interface Answers {
  readonly open: Opened
  readonly load: Loaded
  readonly verify: Verified
  readonly settle: Settled
  readonly run: Ran
  readonly memory: MemoryReport
}

/** The answer to a question that failed. */
export interface Failed {
  readonly error: string
}
