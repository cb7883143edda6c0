import { diffusivity, type NoiseLevel } from '@dit/schedules'
import { add, affine, type Tensor } from '@dit/tensor'
import type { Denoised } from './denoiser.js'

/**
 * dxt/dt of the probability-flow ODE, where t runs from data to noise.
 *
 *   velocity = dAlpha x0 + dSigma noise
 *            = (dAlpha / alpha) xt - (sigma dSigma - (dAlpha / alpha) sigma^2) score
 *
 * The second form is used for networks that predict the score: it is finite where sigma is 0 and dSigma infinite.
 *
 * @returns made in the scope of the caller; may be the network's own output
 * @throws RangeError at a level without derivatives, or where they are infinite
 *
 * Ma et al. 2024, "SiT", eq. 2 and 4.
 */
export function velocityOf({ x0, noise, velocity, score }: Denoised, xt: Tensor, level: NoiseLevel): Tensor {
  if (velocity !== undefined) return velocity
  const { alpha, dAlpha, dSigma } = level
  if (dAlpha === undefined || dSigma === undefined) {
    throw new RangeError('velocityOf: it needs dAlpha and dSigma of the level, which this path does not have')
  }
  if (score !== undefined) return add(affine(xt, dAlpha / alpha), affine(score, -diffusivity(level)))
  if (!Number.isFinite(dSigma)) {
    throw new RangeError(
      `velocityOf: dSigma is infinite at t = ${level.t}, where only a velocity or a score can be used; keep away from there, as flowInterval does`,
    )
  }
  return add(affine(x0, dAlpha), affine(noise, dSigma))
}

/**
 * Gradient of the log density of xt.
 *
 *   score = -noise / sigma
 *
 * @returns made in the scope of the caller; may be the network's own output
 * @throws RangeError where sigma is 0, unless the network predicts the score
 */
export function scoreOf({ noise, score }: Denoised, { sigma, t, timestep }: NoiseLevel): Tensor {
  if (score !== undefined) return score
  if (!(sigma > 0)) {
    throw new RangeError(
      `scoreOf: the score is infinite where sigma is 0 (at ${t === undefined ? `timestep ${timestep}` : `t = ${t}`}); stop before the data`,
    )
  }
  return affine(noise, -1 / sigma)
}
