import { adamw, muon as update, type OrthogonaliseOptions } from '@dit/tensor'
import type { Optimizer } from './optimizer.js'

export interface MuonOptions extends OrthogonaliseOptions {
  /** Of the running mean of gradients (default 0.95). */
  readonly beta?: number
  /** Look a step ahead (default true). */
  readonly nesterov?: boolean
  /** How steps grow with the size of a matrix (default `original`); `matchRms` takes the learning rates of AdamW. */
  readonly scale?: 'original' | 'matchRms'
  /** Regular expression of parameters that AdamW updates although they are matrices: embeddings and output layers. */
  readonly except?: string
  /** AdamW of these, and of all that is no matrix. */
  readonly adam?: {
    /** By which the learning rate is multiplied (default 1); with `original` it is mostly well below 1. */
    readonly learningRateFactor?: number
    /** Default 0.9, 0.95 and 1e-10. */
    readonly beta1?: number
    readonly beta2?: number
    readonly epsilon?: number
    /** In place of the group's. */
    readonly weightDecay?: number
  }
}

/** The parameters of a DiT that are no hidden matrices. */
const EXCEPT = '^(x_embedder|t_embedder|y_embedder|final_layer)\\.'

/**
 * Muon for matrices and AdamW for the rest: `muon` and `adamw` of @dit/tensor. It keeps `momentum_buffer`, which is AdamW's first
 * moment for the rest, and `exp_avg_sq`, which stays 0 for matrices.
 *
 * @throws RangeError or SyntaxError for settings that are none
 *
 * @example
 * train({ ...options, optimizer: muon({ scale: 'matchRms' }) })
 *
 * Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".
 */
export function muon({ except = EXCEPT, adam = {}, ...settings }: MuonOptions = {}): Optimizer {
  const { learningRateFactor = 1, beta1 = 0.9, beta2 = 0.95, epsilon = 1e-10 } = adam
  for (const [name, value] of Object.entries({ beta: settings.beta ?? 0, beta1, beta2 })) {
    if (!(value >= 0 && value < 1)) throw new RangeError(`muon: ${name} must be in [0, 1) (got ${value})`)
  }
  for (const [name, value] of Object.entries({ learningRateFactor, epsilon, weightDecay: adam.weightDecay ?? 0 })) {
    if (value >= 0 && Number.isFinite(value)) continue
    throw new RangeError(`muon: ${name} of adam must be a finite number, 0 or more (got ${value})`)
  }
  const excepted = new RegExp(except)
  return {
    name: 'muon',
    spec: { ...settings, except, adam },
    slots: ['momentum_buffer', 'exp_avg_sq'],
    unit: 'matrix',
    update({ name = '', parameter, gradient, slots }, step) {
      const { momentum_buffer: momentum, exp_avg_sq: v } = slots
      if (parameter.shape.length >= 2 && !excepted.test(name)) {
        update({ parameter, gradient, momentum }, { ...settings, ...step })
        return
      }
      const { weightDecay = step.weightDecay } = adam
      const learningRate = step.learningRate * learningRateFactor
      const own = { ...step, learningRate, weightDecay, beta1, beta2, epsilon, emaDecay: 0 }
      adamw({ parameter, gradient, m: momentum, v, ema: null }, own)
    },
  }
}
