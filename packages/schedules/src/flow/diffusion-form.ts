import type { NoiseLevel } from '../noise-level.js'

/**
 * How much noise an SDE adds and takes away again on its way to the data, as a function w(t) of time. Each form, for any w of
 * 0 or more, has the same marginal distributions as the ODE.
 *
 *   constant                norm
 *   sbdm                    norm (sigma dSigma - (dAlpha / alpha) sigma^2)     the process's own reversal
 *   sigma                   norm sigma
 *   linear                  norm t
 *   decreasing              (1 - norm cos(pi t))^2 / 4                         falls towards the data
 *   increasingDecreasing    norm sin(pi t)^2
 *
 * Ma et al. 2024, "SiT", table 2; their time is 1 - t.
 */
export type DiffusionForm = 'constant' | 'sbdm' | 'sigma' | 'linear' | 'decreasing' | 'increasingDecreasing'

export interface DiffusionCoefficient {
  /** Default `sbdm`. */
  readonly form?: DiffusionForm
  /** Default 1. */
  readonly norm?: number
}

const FORMS: Readonly<Record<DiffusionForm, (level: NoiseLevel, t: number, norm: number) => number>> = {
  constant: (_level, _t, norm) => norm,
  sbdm: (level, _t, norm) => norm * diffusivity(level),
  sigma: ({ sigma }, _t, norm) => norm * sigma,
  linear: (_level, t, norm) => norm * t,
  decreasing: (_level, t, norm) => (1 - norm * Math.cos(Math.PI * t)) ** 2 / 4,
  increasingDecreasing: (_level, t, norm) => norm * Math.sin(Math.PI * t) ** 2,
}

/**
 * w at a noise level: the SDE's noise has variance 2 w dt.
 *
 * @returns infinite for `sbdm` where alpha is 0, which is the noisy end of `linear` and `gvp`
 * @throws RangeError for an unknown form, a norm below 0, or a level without t or derivatives where the form needs them
 */
export function diffusionCoefficient(
  level: NoiseLevel,
  { form = 'sbdm', norm = 1 }: DiffusionCoefficient = {},
): number {
  if (!Object.hasOwn(FORMS, form)) {
    throw new RangeError(
      `diffusionCoefficient: form must be one of ${Object.keys(FORMS).join(', ')} (got ${form as string})`,
    )
  }
  if (!(norm >= 0 && norm < Infinity)) {
    throw new RangeError(`diffusionCoefficient: norm must be finite, 0 or more (got ${norm})`)
  }
  if (level.t === undefined && ['linear', 'decreasing', 'increasingDecreasing'].includes(form)) {
    throw new RangeError(`diffusionCoefficient: form ${form} needs the t of the level, which this path does not have`)
  }
  return FORMS[form](level, level.t!, norm)
}

/**
 * sigma dSigma - (dAlpha / alpha) sigma^2 of a level: its own, or worked out.
 *
 * @throws RangeError at a level without derivatives
 */
export function diffusivity(level: NoiseLevel): number {
  const { alpha, sigma, dAlpha, dSigma } = level
  if (level.diffusivity !== undefined) return level.diffusivity
  if (dAlpha === undefined || dSigma === undefined) {
    throw new RangeError('diffusivity: it needs dAlpha and dSigma of the level, which this path does not have')
  }
  return sigma * dSigma - (dAlpha / alpha) * sigma * sigma
}
