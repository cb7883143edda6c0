import type { Denoised } from '@dit/diffusion'
import type { NoiseLevel, PathStep } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine } from './combine.js'
import { ratioOf } from './run-path.js'

/** What PNDM combines over several calls: the estimates of the noise, or of v = alpha noise - sigma x0. */
export type Combined = 'noise' | 'v'

/** What is combined, from the estimates at a level. */
export function combinedOf({ x0, noise }: Denoised, { alpha, sigma }: NoiseLevel, kind: Combined): Tensor {
  return kind === 'noise' ? noise : combine([alpha, noise], [-sigma, x0])
}

/**
 * PNDM's transfer: where noise leads that stays the same over a step.
 *
 *   next = alpha' (xt / alpha + (sigma' / alpha' - sigma / alpha) noise)
 *
 * A combined v is read as noise at the start of the step: noise = alpha v + sigma xt, where alpha^2 + sigma^2 = 1.
 *
 * Liu et al. 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", eq. 11.
 */
export function transfer(xt: Tensor, { from, to }: PathStep, combined: Tensor, kind: Combined): Tensor {
  const factor = to.alpha * (ratioOf(to) - ratioOf(from))
  const keep = to.alpha / from.alpha
  if (kind === 'noise') return combine([keep, xt], [factor, combined])
  return combine([keep + factor * from.sigma, xt], [factor * from.alpha, combined])
}
