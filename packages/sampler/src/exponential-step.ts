import type { PathStep } from '@dit/schedules'

/** Which form of the equation a DPM-Solver solves. */
export type DpmAlgorithm = 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver' | 'sde-dpmsolver++'

/** How the second order is reached: both agree to that order. */
export type DpmType = 'midpoint' | 'heun'

/**
 * The factors of a step of exponential integration:
 *
 *   next = keep xt + d0 D0 + d1 D1 + d2 D2 + fresh draw
 *
 * where D0, D1 and D2 are the estimate at the start of the step, its first difference over the step, and its second.
 */
export interface ExponentialStep {
  readonly keep: number
  readonly d0: number
  readonly d1: number
  readonly d2: number
  /** Of fresh noise; 0 without an SDE. */
  readonly fresh: number
}

/** Options of `exponentialStep`. */
export interface ExponentialStepOptions {
  readonly algorithm: DpmAlgorithm
  readonly type: DpmType
  /**
   * `exact` (default), or the factor d2 of `sde-dpmsolver++` as diffusers has it, which is less by alpha': there the last term of its
   * series has the wrong sign.
   */
  readonly sdeThirdOrder?: 'exact' | 'diffusers'
}

/**
 * A step of DPM-Solver. With h = lambda' - lambda, and phi1(H) = e^H - 1, phi2(H) = phi1(H) / H - 1, phi3(H) = phi2(H) / H - 1 / 2:
 *
 *   dpmsolver        keep alpha' / alpha         d_k = -sigma' phi_k(h)
 *   dpmsolver++      keep sigma' / sigma         d_k = -alpha' phi_k(-h)
 *   sde-dpmsolver    keep alpha' / alpha         d_k = -2 sigma' phi_k(h)     fresh sigma' sqrt(e^2h - 1)
 *   sde-dpmsolver++  keep sigma' / sigma e^-h    d_k = -alpha' phi_k(-2 h)    fresh sigma' sqrt(1 - e^-2h)
 *
 * `dpmsolver` estimates the noise, `++` estimates x0. With `midpoint`, d1 is half of d0.
 *
 * @param h of the whole step; 0 leaves xt as it is
 *
 * Lu et al. 2022, "DPM-Solver", eq. 4.1 and appendix B; "DPM-Solver++", eq. 9 and algorithms 1 and 2, appendix B for the SDEs.
 */
export function exponentialStep(
  { from, to }: PathStep,
  h: number,
  { algorithm, type, sdeThirdOrder = 'exact' }: ExponentialStepOptions,
): ExponentialStep {
  const isSde = algorithm.startsWith('sde-')
  // A step between equal levels may come out a rounding below 0.
  const length = Math.max(0, h)
  if (algorithm.endsWith('++')) {
    const [d0, d1, d2] = phis(isSde ? -2 * h : -h).map((phi) => -to.alpha * phi)
    return {
      keep: (to.sigma / from.sigma) * (isSde ? Math.exp(-h) : 1),
      d0,
      d1: type === 'midpoint' ? 0.5 * d0 : d1,
      d2: isSde && sdeThirdOrder === 'diffusers' ? d2 - to.alpha : d2,
      fresh: isSde ? to.sigma * Math.sqrt(-Math.expm1(-2 * length)) : 0,
    }
  }
  const [d0, d1, d2] = phis(h).map((phi) => (isSde ? -2 : -1) * to.sigma * phi)
  return {
    keep: to.alpha / from.alpha,
    d0,
    d1: type === 'midpoint' ? 0.5 * d0 : d1,
    d2,
    fresh: isSde ? to.sigma * Math.sqrt(Math.expm1(2 * length)) : 0,
  }
}

/** phi1, phi2 and phi3: what is left of e^H after one, two and three terms of its series, each divided by the last of these terms. */
function phis(H: number): [number, number, number] {
  if (H === -Infinity) return [-1, -1, -0.5]
  const first = Math.expm1(H)
  if (Math.abs(H) > 0.01) return [first, first / H - 1, (first - H) / H ** 2 - 0.5]
  // Near 0 the differences cancel; their series do not.
  const second = H * (1 / 2 + H * (1 / 6 + H * (1 / 24 + H * (1 / 120 + H / 720))))
  const third = H * (1 / 6 + H * (1 / 24 + H * (1 / 120 + H * (1 / 720 + H / 5040))))
  return [first, second, third]
}
