import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine, type Term } from './combine.js'
import { lagrangeBasis } from './lagrange.js'
import { checkFalling, checkPathStart, latest, type PathOptions, ratioOf, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/** Options of `lms`. */
export interface LmsOptions extends PathOptions {
  /** How many slopes are used, this step's included (default 4). */
  readonly order?: number
}

/**
 * Linear multistep (Adams-Bashforth) in s = sigma / alpha: the slopes of the last steps, as a polynomial in s, integrated over the step.
 * One call of the network a step.
 *
 *   next / alpha' = xt / alpha + sum_k noise[i - k] integral of L_k from s[i] to s[i + 1]
 *
 * where L_k is 1 at s[i - k] and 0 at the other nodes. The first steps have fewer slopes.
 *
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * Liu et al. 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", section 3.2; k-diffusion's `sample_lms`.
 */
export function lms(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: LmsOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { order = 4 } = options
  checkPathStart('lms', path, xT, true)
  checkFalling('lms', path)
  if (!Number.isInteger(order) || order < 1) {
    throw new RangeError(`lms: order must be a positive integer (got ${order})`)
  }
  const s = path.steps.map(({ from }) => ratioOf(from))
  return runPath(
    path,
    xT,
    (xt, { from, to }, index, before) => {
      const { x0, noise } = denoise(xt, from)
      const slopes = latest(noise, before, order)
      // Measured from this step's s, which keeps the powers small.
      const nodes = slopes.map((_, k) => s[index - k] - s[index])
      const length = ratioOf(to) - s[index]
      const terms = slopes.map((slope, k): Term => [to.alpha * integral(lagrangeBasis(nodes, k), length), slope])
      return { xt: combine([to.alpha / from.alpha, xt], ...terms), x0, carry: slopes.slice(0, order - 1) }
    },
    options,
  )
}

/** Of a polynomial, from 0 to `end`. */
function integral(polynomial: readonly number[], end: number): number {
  return polynomial.reduce((total, c, i) => total + (c * end ** (i + 1)) / (i + 1), 0)
}
