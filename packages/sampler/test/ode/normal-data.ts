import type { Denoise } from '@dit/diffusion'
import { flowLevel, type FlowOptions } from '@dit/schedules'
import { affine } from '@dit/tensor'

// Files share their modules in the quick tier: one current backend for all.
export { backend } from '../../../diffusion/test/tensors.js'

/** The exact denoiser of normal data with mean 0 and this variance. */
export function normalData(variance: number): Denoise {
  return (xt, { alpha, sigma }) => {
    const n = alpha * alpha * variance + sigma * sigma
    return { x0: affine(xt, (alpha * variance) / n), noise: affine(xt, sigma / n) }
  }
}

/** By how much the ODE of such data stretches xt from one time to another. */
export function stretch(variance: number, from: number, to: number, flow: FlowOptions = {}): number {
  const spread = (t: number) => {
    const { alpha, sigma } = flowLevel(t, flow)
    return Math.sqrt(alpha * alpha * variance + sigma * sigma)
  }
  return spread(to) / spread(from)
}
