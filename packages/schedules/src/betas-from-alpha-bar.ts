import { checkBetas, checkNumTimesteps } from './check.js'

/**
 * Noise variances of a schedule that is given as a falling function of continuous time.
 *
 *   beta[i] = min(1 - alphaBar((i + 1) / T) / alphaBar(i / T), maxBeta)
 *
 * @param alphaBar      the share of signal left at t, from about 1 at t = 0 (data) to about 0 at t = 1 (noise)
 * @param numTimesteps  how many steps, T
 * @param maxBeta       the cap that keeps the last step from erasing everything
 * @returns `[T]`, float64, in (0, 1]
 * @throws RangeError when `numTimesteps` is no positive integer, or `alphaBar` does not fall
 *
 * Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", section 3.2.
 */
export function betasFromAlphaBar(
  alphaBar: (t: number) => number,
  numTimesteps: number,
  maxBeta = 0.999,
): Float64Array {
  checkNumTimesteps('betasFromAlphaBar', numTimesteps)
  const betas = Float64Array.from({ length: numTimesteps }, (_, i) => {
    const ratio = alphaBar((i + 1) / numTimesteps) / alphaBar(i / numTimesteps)
    return Math.min(1 - ratio, maxBeta)
  })
  checkBetas('betasFromAlphaBar', betas, '; alphaBar must fall from t = 0 to t = 1')
  return betas
}
