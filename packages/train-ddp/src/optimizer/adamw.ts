import { adamw as update } from '@dit/tensor'
import type { Optimizer } from './optimizer.js'

/** Settings of AdamW; the recipe holds them. */
export interface AdamWOptions {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

/**
 * AdamW: the default optimizer, `adamw` of @dit/tensor.
 *
 * Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
 */
export function adamw({ beta1, beta2, epsilon }: AdamWOptions): Optimizer {
  return {
    name: 'adamw',
    spec: { beta1, beta2, epsilon },
    slots: ['exp_avg', 'exp_avg_sq'],
    unit: 'element',
    foldsAverage: true,
    update({ parameter, gradient, slots: { exp_avg: m, exp_avg_sq: v } }, step, average) {
      const settings = { ...step, beta1, beta2, epsilon, emaDecay: average?.decay ?? 0 }
      update({ parameter, gradient, m, v, ema: average?.tensor ?? null }, settings)
    },
  }
}
