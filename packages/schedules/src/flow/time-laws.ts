/**
 * Times for given draws. All count t from data (0) to noise (1); where a paper or program counts the other way, its logit-normal
 * has the opposite mean.
 */

/**
 * sigmoid(mean + std normal)
 *
 * Esser et al. 2024, eq. 19 (their rf/lognorm(mean, std)).
 */
export function logitNormalTime(normal: number, mean = 0, std = 1): number {
  return 1 / (1 + Math.exp(-(mean + std * normal)))
}

/**
 * Density of `logitNormalTime` at t; 0 at both ends.
 *
 *   exp(-(logit(t) - mean)^2 / (2 std^2)) / (std sqrt(2 pi) t (1 - t))
 */
export function logitNormalDensity(t: number, mean = 0, std = 1): number {
  if (!(t > 0 && t < 1)) return 0
  const distance = (Math.log(t / (1 - t)) - mean) / std
  return Math.exp((-distance * distance) / 2) / (std * Math.sqrt(2 * Math.PI) * t * (1 - t))
}

/**
 * 1 - u - scale (cos(pi u / 2)^2 - 1 + u): for a scale above 0 the middle is drawn more often, below 0 the ends.
 *
 * Esser et al. 2024, eq. 20 (their rf/mode(scale)).
 *
 * @param u uniform in [0, 1)
 */
export function modeTime(u: number, scale: number): number {
  return 1 - u - scale * (Math.cos((Math.PI * u) / 2) ** 2 - 1 + u)
}

/**
 * Noise levels of EDM: sigma / alpha = exp(mean + std normal).
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", table 1.
 */
export function logNormalSigma(normal: number, mean = -1.2, std = 1.2): number {
  return Math.exp(mean + std * normal)
}
