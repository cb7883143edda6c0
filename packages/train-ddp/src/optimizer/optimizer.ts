import type { Tensor } from '@dit/tensor'

/** What an optimizer is told of a step. */
export interface OptimizerStep {
  /** Number of the step, from 1. */
  readonly step: number
  /** Of this group of parameters. */
  readonly learningRate: number
  /** Decoupled weight decay of this group, to be multiplied by the learning rate. */
  readonly weightDecay: number
  /** By which the gradient is to be multiplied: below 1 where it is clipped. */
  readonly gradientScale: number
}

/** What an optimizer changes: a stretch of many parameters at once (`element`), or one whole parameter (`matrix`). */
export interface OptimizerTensors {
  /** Of the parameter, for optimizers whose unit is the matrix. */
  readonly name?: string
  /** Changed in place. */
  readonly parameter: Tensor
  readonly gradient: Tensor
  /** By the names in `slots`, of the parameter's shape; changed in place, zeros before the first step. */
  readonly slots: Readonly<Record<string, Tensor>>
}

/** An exponential moving average that an optimizer updates in its own pass over the parameters. */
export interface FoldedAverage {
  readonly tensor: Tensor
  readonly decay: number
}

/** A rule that turns gradients into changes of parameters. */
export interface Optimizer {
  readonly name: string
  /** Its settings: plain data; a run resumes exactly only under equal ones. */
  readonly spec?: object
  /** What it keeps for each parameter, by name: tensors `<slot>.<parameter>` of a checkpoint's `optimizer.safetensors`. */
  readonly slots: readonly string[]
  /**
   * `element`: every number is updated by itself, so that parameters are updated many at a time, and workers may hold parts of
   * them. `matrix`: a parameter is updated as a whole; with a sharded optimizer every worker has whole parameters.
   */
  readonly unit: 'element' | 'matrix'
  /** True where `update` takes the average in its own pass: one pass over memory less. */
  readonly foldsAverage?: boolean
  /** @param average given only where `foldsAverage` is true */
  update(tensors: OptimizerTensors, step: OptimizerStep, average: FoldedAverage | null): void
}
