import type { Communicator } from '@dit/collectives'
import { type DiTConfig, isTrainable, parameterShapes } from '@dit/model'
import type { LossHistory } from '@dit/schedules'
import {
  allocateFlat,
  type Backend,
  dispose,
  disposeFlat,
  flatLayout,
  type FlatParams,
  flatten,
  type Params,
} from '@dit/tensor'
import { initialLossScale, type LossScale } from './loss-scale.js'
import { type OptimizerState, shardedOptimizer, wholeOptimizer } from './optimizer-state.js'
import { type Bucket, bucketLayout } from './parallel/buckets.js'
import { gradientExchange, type GradientExchange } from './parallel/gradient-exchange.js'
import { createStaging } from './parallel/staging.js'

/** Everything that training changes, on the engine. Moments and gradients exist for trainable parameters alone. */
export interface TrainState {
  /** Steps done. */
  step: number
  /** Losses per timestep, where the recipe's sampler wants them. */
  lossHistory: LossHistory | null
  /** Where the engine rounds gradients to half precision. */
  lossScale: LossScale | null
  readonly trainable: FlatParams
  readonly frozen: FlatParams
  readonly emaFrozen: FlatParams
  readonly gradients: FlatParams
  readonly buckets: readonly Bucket[]
  readonly optimizer: OptimizerState
  /** Sums gradients over the workers; null where there is one. */
  readonly exchange: GradientExchange | null
  /** Views of all parameters, in state-dict order. */
  readonly params: Params
  /** Views of their moving averages, in state-dict order; null where workers hold parts. */
  readonly ema: Params | null
}

/** How the state is spread over the workers of a job. */
export interface StateSetting {
  readonly communicator: Communicator
  /** Each worker keeps a part of the moments and averages. */
  readonly shardOptimizer: boolean
  /** Bytes that gradients travel in, roughly. */
  readonly bucketBytes: number
}

/**
 * Moves initial parameters into flat segments; the average begins as their copy, moments as zeros. The parameters are
 * disposed of before the rest is made, so that a run begins with no more memory than it needs.
 */
export function createState(
  config: DiTConfig,
  params: Params,
  backend: Backend,
  { communicator, shardOptimizer, bucketBytes }: StateSetting,
): TrainState {
  const shapes = Object.entries(parameterShapes(config))
  const layoutOf = (trainable: boolean) =>
    flatLayout(Object.fromEntries(shapes.filter(([name]) => isTrainable(config, name) === trainable)), backend)
  const [trainableLayout, frozenLayout] = [layoutOf(true), layoutOf(false)]
  const trainable = flatten(params, trainableLayout, backend)
  const frozen = flatten(params, frozenLayout, backend)
  const emaFrozen = flatten(params, frozenLayout, backend)
  dispose(params)
  const gradients = allocateFlat(trainableLayout, backend)
  const buckets = bucketLayout(trainableLayout, backend, bucketBytes)
  const staging = createStaging(backend)
  const parallel = { communicator, backend, trainable, gradients, buckets, staging }
  const isSharded = shardOptimizer && communicator.size > 1
  const optimizer = isSharded ? shardedOptimizer(parallel) : wholeOptimizer(parallel)
  const inOrder = (a: Params, b: Params): Params =>
    Object.fromEntries(shapes.map(([name]) => [name, a[name] ?? b[name]]))
  return {
    step: 0,
    lossHistory: null,
    lossScale: initialLossScale(backend),
    trainable,
    frozen,
    emaFrozen,
    gradients,
    buckets,
    optimizer,
    exchange: communicator.size > 1 ? gradientExchange({ ...parallel, isSharded }) : null,
    params: inOrder(trainable.params, frozen.params),
    ema: optimizer.ema === null ? null : inOrder(optimizer.ema, emaFrozen.params),
  }
}

export function disposeState(state: TrainState): void {
  state.optimizer.dispose()
  for (const flat of [state.trainable, state.frozen, state.emaFrozen, state.gradients]) disposeFlat(flat)
}
