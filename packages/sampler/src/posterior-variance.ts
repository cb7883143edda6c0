import type { Path, PathStep } from '@dit/schedules'

/**
 * Variance of a level given the noisier one and x0: sigma'^2 (sigma^2 - (alpha / alpha')^2 sigma'^2) / sigma^2.
 *
 * Ho et al. 2020, "Denoising Diffusion Probabilistic Models", eq. 7, for any alpha and sigma.
 */
export function posteriorVariance({ from, to }: PathStep): number {
  return (to.sigma / from.sigma) ** 2 * addedVariance({ from, to })
}

/** Variance of the noise that leads from the cleaner level to the noisier: sigma^2 - (alpha / alpha')^2 sigma'^2. */
export function addedVariance({ from, to }: PathStep): number {
  // Rounding may take the difference below 0.
  return Math.max(0, from.sigma ** 2 - (from.alpha / to.alpha) ** 2 * to.sigma ** 2)
}

/** Throws where a step leads to more noise: there is no noising to undo there, and so no variance. */
export function checkFalling(caller: string, { steps }: Path): void {
  const rising = steps.findIndex(({ from, to }) => to.sigma * from.alpha > (1 + 1e-9) * from.sigma * to.alpha)
  if (rising < 0) return
  throw new RangeError(`${caller}: fresh noise needs a path from noise to data (step ${rising} leads to more noise)`)
}
