import type { Communicator, Floats } from '@dit/collectives'
import {
  type Backend,
  type FlatLayout,
  type FlatParams,
  type Params,
  scope,
  stopGradient,
  type Tensor,
  updateEma,
} from '@dit/tensor'
import type { Bucket } from '../parallel/buckets.js'
import type { Staging } from '../parallel/staging.js'
import type { ParameterGroup } from './groups.js'
import type { Optimizer } from './optimizer.js'

/** What a step does to all parameters. */
export interface UpdateStep {
  readonly step: number
  readonly learningRate: number
  readonly weightDecay: number
  readonly gradientScale: number
  /** Decay of each average, in the order of `averages`. */
  readonly averageDecays: readonly number[]
}

/**
 * Slots of the optimizer and averages of the trainable parameters: in full on every worker, or a part on each. What is kept
 * is named: `exp_avg`, `exp_avg_sq` and `ema` with AdamW.
 */
export interface OptimizerState {
  /** Names of the optimizer's slots. */
  readonly slots: readonly string[]
  /** Names of the averages; the first is `ema`. */
  readonly averages: readonly string[]
  /** Euclidean norm of the whole gradient. Every rank calls it. */
  gradientNorm(): Promise<number>
  /** Updates parameters and averages, in place; afterwards every worker has all new parameters. Every rank calls it. */
  update(step: UpdateStep): Promise<void>
  /** Values of what is kept under a name for bucket `bucket`, as they lie in memory. Every rank calls it. */
  read(name: string, bucket: number): Promise<Floats>
  /** Takes what is kept under a name for one parameter, or this worker's part of it. */
  load(name: string, parameter: string, values: Floats): void
  /** An average under the parameters' names, where this worker has it in full, else null. */
  average(name: string): Params | null
  /** Bytes of slots and averages that this worker holds. */
  readonly bytes: number
  dispose(): void
}

export interface OptimizerOptions {
  readonly optimizer: Optimizer
  /** Names of the averages. */
  readonly averages: readonly string[]
  /** Group of each segment of the trainable parameters. */
  readonly groupOf: readonly ParameterGroup[]
  readonly communicator: Communicator
  readonly backend: Backend
  readonly trainable: FlatParams
  readonly gradients: FlatParams
  readonly buckets: readonly Bucket[]
  readonly staging: Staging
}

/** Tensors of one stretch of parameters; `kept` has slots and averages by name. */
export interface Stretch {
  /** Of the parameter, where the stretch is one. */
  readonly name?: string
  readonly parameter: Tensor
  readonly gradient: Tensor
  readonly kept: Readonly<Record<string, Tensor>>
}

/** One update of a stretch: the optimizer, then the averages that it has not taken in the same pass. */
export function updateStretch(
  { optimizer, averages }: Pick<OptimizerOptions, 'optimizer' | 'averages'>,
  { learningRateFactor = 1, weightDecay }: ParameterGroup,
  { name: parameterName, parameter, gradient, kept }: Stretch,
  step: UpdateStep,
): void {
  const decays = step.averageDecays
  const isFolded = optimizer.foldsAverage === true
  const own = {
    step: step.step,
    learningRate: step.learningRate * learningRateFactor,
    weightDecay: weightDecay ?? step.weightDecay,
    gradientScale: step.gradientScale,
  }
  const slots = Object.fromEntries(optimizer.slots.map((name) => [name, kept[name]]))
  const average = isFolded ? { tensor: kept[averages[0]], decay: decays[0] } : null
  stopGradient(() => scope(() => optimizer.update({ name: parameterName, parameter, gradient, slots }, own, average)))
  averages.forEach((name, i) => {
    if (i > 0 || !isFolded) updateEma(kept[name], parameter, decays[i])
  })
}

/** Copies each tensor's values out of those of its bucket. */
export function valueOf(layout: FlatLayout, bucket: Bucket, values: Floats, name: string): Floats {
  const { offset, shape } = layout.entries.find((entry) => entry.name === name)!
  const start = offset - bucket.offset
  return values.slice(start, start + shape.reduce((product, extent) => product * extent, 1))
}

export function floats({ float }: Backend, length: number): Floats {
  return float === 'f64' ? new Float64Array(length) : new Float32Array(length)
}

export function bytesOf(tensors: readonly (Tensor | null)[]): number {
  return tensors.reduce((sum, tensor) => sum + (tensor?.byteLength ?? 0), 0)
}
