import { type DiTConfig, forward, isTrainable, parameterShapes } from '@dit/model'
import {
  adamw,
  type AdamWStep,
  allocateFlat,
  type Backend,
  flatLayout,
  mean,
  type Params,
  scope,
  type Shape,
  square,
  sub,
  type Tensor,
  valueAndGrad,
  zeros,
} from '@dit/tensor'

/** Adam as every engine of the bench runs it. */
export const ADAM = { learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const

/** What a step reads. */
export interface StepBatch {
  readonly xt: Tensor
  readonly noise: Tensor
  readonly timesteps: Int32Array
  readonly labels: Int32Array
}

/** A model in training, with everything in flat segments where the backend has views. */
export interface Trainer {
  /** All parameters by name. */
  readonly params: Params
  /** Gradients of the trained ones by name. */
  readonly gradientParams: Params
  /** Parameters, gradients and both moments. */
  readonly stateBytes: number
  /** Forward and backward: the loss, a scalar that the caller disposes of. Gradients stand in `gradientParams`. */
  gradients(batch: StepBatch): Tensor
  /** Adam, in place. */
  update(): void
}

/** A model full of zeros and its optimizer: mean squared error of the predicted noise, Adam, no average. */
export function createTrainer(backend: Backend, model: DiTConfig, recompute: 'none' | 'block'): Trainer {
  const { trainable: trainableShapes, frozen: frozenShapes } = splitShapes(model)
  const layout = flatLayout(trainableShapes, backend)
  const [trainable, gradients, m, v] = Array.from({ length: 4 }, () => allocateFlat(layout, backend))
  const frozen = Object.fromEntries(
    Object.entries(frozenShapes).map(([name, shape]) => [name, zeros(shape, { backend })]),
  )
  const held = [...[trainable, gradients, m, v].flatMap(({ segments }) => segments), ...Object.values(frozen)]
  const params = { ...frozen, ...trainable.params }
  let step = 0
  return {
    params,
    gradientParams: gradients.params,
    stateBytes: held.reduce((bytes, { byteLength }) => bytes + byteLength, 0),
    gradients({ xt, noise, timesteps, labels }) {
      const { loss } = valueAndGrad(
        trainable.params,
        () => {
          const predicted = forward(model, params, { xt, timesteps, labels }, { recompute })
          return { loss: scope(() => mean(square(sub(predicted, noise)))) }
        },
        { into: gradients.params, overwrite: true },
      )
      return loss
    },
    update() {
      const hyperparameters: AdamWStep = { ...ADAM, weightDecay: 0, step: ++step, gradientScale: 1, emaDecay: 0 }
      trainable.segments.forEach((parameter, i) => {
        const [gradient, first, second] = [gradients.segments[i], m.segments[i], v.segments[i]]
        adamw({ parameter, gradient, m: first, v: second, ema: null }, hyperparameters)
      })
    },
  }
}

function splitShapes(model: DiTConfig) {
  const shapes = Object.entries(parameterShapes(model))
  const of = (wanted: boolean): Record<string, Shape> =>
    Object.fromEntries(shapes.filter(([name]) => isTrainable(model, name) === wanted))
  return { trainable: of(true), frozen: of(false) }
}
