import type { Communicator } from '@dit/collectives'
import { allocateFlat, type Backend, dispose, disposeFlat, type FlatParams, flatten, type Params } from '@dit/tensor'
import type { BestCheckpoint } from './checkpoint/best.js'
import { initialLossScale, type LossScale } from './loss-scale.js'
import type { Objective } from './objective/objective.js'
import type { Average } from './optimizer/averages.js'
import { groupParameters, type ParameterGroup } from './optimizer/groups.js'
import type { Optimizer } from './optimizer/optimizer.js'
import type { OptimizerState } from './optimizer/optimizer-state.js'
import { ownedOptimizer } from './optimizer/owned.js'
import { partsOptimizer } from './optimizer/parts.js'
import { wholeOptimizer } from './optimizer/whole.js'
import { type Bucket, bucketLayout } from './parallel/buckets.js'
import { gradientExchange, type GradientExchange } from './parallel/gradient-exchange.js'
import { createStaging } from './parallel/staging.js'
import type { StepRecord } from './run/log.js'

/** Everything that training changes. Slots, averages and gradients exist for trainable parameters alone. */
export interface TrainState {
  /** Steps done. */
  step: number
  /** What the objective's draws know. */
  objective: unknown
  /** Where the engine rounds gradients to half precision. */
  lossScale: LossScale | null
  /** The best checkpoint so far, where the run keeps one. */
  best: BestCheckpoint | null
  /** The record of the last step, where a stop came before it was measured: it is not in the log yet. */
  pending: StepRecord | null
  readonly trainable: FlatParams
  readonly frozen: FlatParams
  /** Averages of what is frozen, by name: `frozen` itself, unless a checkpoint holds other values (`separateAverage`). */
  readonly frozenAverages: Record<string, FlatParams>
  readonly gradients: FlatParams
  readonly buckets: readonly Bucket[]
  readonly optimizer: OptimizerState
  /** Sums gradients over the workers; null where there is one. */
  readonly exchange: GradientExchange | null
  /** Views of all parameters, in the order of the objective's table. */
  readonly params: Params
}

/** What the state is made for. */
export interface StateSetting {
  readonly objective: Required<Objective>
  readonly backend: Backend
  readonly optimizer: Optimizer
  readonly groups: readonly ParameterGroup[]
  readonly averages: readonly Average[]
  readonly seed: number
  /** In place of what the objective initialises; the caller keeps them. */
  readonly initial?: Params | undefined
  readonly communicator: Communicator
  /** Each worker keeps a part of the slots and averages. */
  readonly shardOptimizer: boolean
  /** Bytes that gradients travel in, roughly. */
  readonly bucketBytes: number
}

/** The average that every run has. */
export const EMA = 'ema'

/**
 * Moves initial parameters into flat segments; averages begin as their copies, slots as zeros. The parameters are disposed of
 * before the rest is made, so that a run begins with no more memory than it needs.
 */
export function createState(setting: StateSetting): TrainState {
  const { objective, backend, optimizer: rule, groups, seed, communicator, shardOptimizer, bucketBytes } = setting
  const averages = [EMA, ...setting.averages.map(({ name }) => name)]
  const layouts = groupParameters(objective.parameters, groups, backend)
  const initial = setting.initial ?? objective.init({ seed, backend })
  const trainable = flatten(initial, layouts.trainable, backend)
  const frozen = flatten(initial, layouts.frozen, backend)
  const frozenAverages = Object.fromEntries(averages.map((name) => [name, frozen]))
  if (setting.initial === undefined) dispose(initial)
  const gradients = allocateFlat(layouts.trainable, backend)
  const buckets = bucketLayout(layouts.trainable, backend, bucketBytes)
  const staging = createStaging(backend)
  const parallel = { communicator, backend, trainable, gradients, buckets, staging }
  const isSharded = shardOptimizer && communicator.size > 1
  const inParts = rule.unit === 'element' ? partsOptimizer : ownedOptimizer
  const create = isSharded ? inParts : wholeOptimizer
  const isScattered = isSharded && rule.unit === 'element'
  return {
    step: 0,
    objective: objective.initialState,
    lossScale: initialLossScale(backend),
    best: null,
    pending: null,
    trainable,
    frozen,
    frozenAverages,
    gradients,
    buckets,
    optimizer: create({ ...parallel, optimizer: rule, averages, groupOf: layouts.groupOf }),
    exchange: communicator.size > 1 ? gradientExchange({ ...parallel, isSharded: isScattered }) : null,
    params: inOrder(objective, trainable.params, frozen.params),
  }
}

/** Views of an average of all parameters, in the table's order; null where workers hold parts of it. */
export function averageOf({ optimizer, params, frozenAverages }: TrainState, name: string): Params | null {
  const trained = optimizer.average(name)
  if (trained === null) return null
  const { params: frozen } = frozenAverages[name]
  return Object.fromEntries(Object.keys(params).map((of) => [of, trained[of] ?? frozen[of]]))
}

/** Gives an average values of its own for what is frozen, which drift towards the parameters. */
export function separateAverage({ frozen, frozenAverages }: TrainState, name: string): Params {
  if (frozenAverages[name] === frozen) {
    frozenAverages[name] = flatten(frozen.params, frozen.layout, frozen.segments[0].backend)
  }
  return frozenAverages[name].params
}

function inOrder({ parameters }: Pick<Objective, 'parameters'>, a: Params, b: Params): Params {
  return Object.fromEntries(Object.keys(parameters).map((name) => [name, a[name] ?? b[name]]))
}

export function disposeState(state: TrainState): void {
  state.optimizer.dispose()
  const { trainable, frozen, frozenAverages, gradients } = state
  for (const flat of new Set([trainable, frozen, ...Object.values(frozenAverages), gradients])) disposeFlat(flat)
}
