import type { Traffic } from '@dit/collectives'
import type { Params } from '@dit/tensor'
import type { StepRecord } from './run/log.js'

/** Ranks could not write their parts of a checkpoint; the text names them. */
export class CheckpointPartError extends Error {
  override readonly name = 'CheckpointPartError'
}

/** What `train` reports. Parameters in events are views of the running state: read them before asking for the next event. */
export type TrainEvent =
  | {
      readonly type: 'start'
      /** Steps done already: 0, or those of the checkpoint that the run resumes from. */
      readonly step: number
      readonly steps: number
      readonly resumedFrom: string | null
      /** Lines for the user: damaged checkpoints that were passed over, and the like. */
      readonly notices: readonly string[]
    }
  | { readonly type: 'step'; readonly record: StepRecord; readonly traffic: Traffic }
  | { readonly type: 'sample'; readonly step: number }
  /** A gradient was too large for half precision: the step is repeated with this scale. */
  | { readonly type: 'loss-scale'; readonly step: number; readonly scale: number }
  | {
      readonly type: 'checkpoint'
      readonly step: number
      readonly path: string
      readonly bytes: number
      /** The best so far, by `checkpoint.keepBest`. */
      readonly isBest: boolean
    }
  /** With `onSaveError: 'continue'`: nothing was saved, and the run goes on. A log is written with the next record. */
  | {
      readonly type: 'save-failed'
      readonly what: 'log' | 'checkpoint'
      readonly step: number
      readonly error: unknown
    }
  | {
      readonly type: 'end'
      readonly step: number
      readonly reason: 'finished' | 'stopped'
      readonly params: Params
      /** On other ranks than 0 empty where workers hold parts of it. */
      readonly ema: Params
    }

/** The loss or the gradient stopped being a finite number. Nothing of that step was kept. */
export class NonFiniteLossError extends Error {
  override readonly name = 'NonFiniteLossError'
  readonly step: number
  readonly lastCheckpoint: string | null

  constructor(step: number, what: string, lastCheckpoint: string | null) {
    const advice =
      lastCheckpoint === null ? 'there is no checkpoint yet' : `the last good checkpoint is ${lastCheckpoint}`
    const help =
      step === 1
        ? 'Nothing was updated yet: look at the data and the loss'
        : 'A lower learning rate or gradient clipping may help'
    super(`train: ${what} at step ${step}; ${advice}. ${help}`)
    this.step = step
    this.lastCheckpoint = lastCheckpoint
  }
}

/** Another process, or another call of `train`, is writing to the run. */
export class RunLockedError extends Error {
  override readonly name = 'RunLockedError'
}

/** Resuming would not continue to the bit, and `allowInexact` was not given. */
export class InexactResumeError extends Error {
  override readonly name = 'InexactResumeError'
}
