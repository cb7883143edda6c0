import { type DiTConfig, isTrainable, parameterShapes } from '@dit/model'
import type { LossHistory } from '@dit/schedules'
import { allocateFlat, type Backend, disposeFlat, flatLayout, type FlatParams, flatten, type Params } from '@dit/tensor'

/** Everything that training changes, on the engine. Moments and gradients exist for trainable parameters alone. */
export interface TrainState {
  /** Steps done. */
  step: number
  /** Losses per timestep, where the recipe's sampler wants them. */
  lossHistory: LossHistory | null
  readonly trainable: FlatParams
  readonly frozen: FlatParams
  readonly emaTrainable: FlatParams
  readonly emaFrozen: FlatParams
  readonly m: FlatParams
  readonly v: FlatParams
  readonly gradients: FlatParams
  /** Views of all parameters, in state-dict order. */
  readonly params: Params
  /** Views of their moving averages, in state-dict order. */
  readonly ema: Params
}

/** Copies initial parameters into flat segments; the average begins as their copy, moments as zeros. */
export function createState(config: DiTConfig, params: Params, backend: Backend): TrainState {
  const shapes = Object.entries(parameterShapes(config))
  const layoutOf = (trainable: boolean) =>
    flatLayout(Object.fromEntries(shapes.filter(([name]) => isTrainable(config, name) === trainable)), backend)
  const [trainableLayout, frozenLayout] = [layoutOf(true), layoutOf(false)]
  const trainable = flatten(params, trainableLayout, backend)
  const frozen = flatten(params, frozenLayout, backend)
  const emaTrainable = flatten(params, trainableLayout, backend)
  const emaFrozen = flatten(params, frozenLayout, backend)
  const inOrder = (a: FlatParams, b: FlatParams): Params =>
    Object.fromEntries(shapes.map(([name]) => [name, a.params[name] ?? b.params[name]]))
  return {
    step: 0,
    lossHistory: null,
    trainable,
    frozen,
    emaTrainable,
    emaFrozen,
    m: allocateFlat(trainableLayout, backend),
    v: allocateFlat(trainableLayout, backend),
    gradients: allocateFlat(trainableLayout, backend),
    params: inOrder(trainable, frozen),
    ema: inOrder(emaTrainable, emaFrozen),
  }
}

export function disposeState(state: TrainState): void {
  for (const flat of [
    state.trainable,
    state.frozen,
    state.emaTrainable,
    state.emaFrozen,
    state.m,
    state.v,
    state.gradients,
  ]) {
    disposeFlat(flat)
  }
}
