import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine, type Term } from './combine.js'
import { lagrangeBasis } from './lagrange.js'
import { checkFalling, checkPathStart, latest, type PathOptions, ratioOf, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/** Options of `deis`. */
export interface DeisOptions extends PathOptions {
  /** How many estimates are used, this step's included: 1, 2 (default) or 3. */
  readonly order?: 1 | 2 | 3
  /** Whether the last steps of fewer than 15 are of lower order, which is more stable (default). */
  readonly lowerOrderFinal?: boolean
}

/** Below this count of steps the last ones are of lower order. */
const FEW_STEPS = 15

/**
 * DEIS in log rho, rho = sigma / alpha: the last estimates of the noise, as a polynomial in log rho, integrated over rho. One call of
 * the network a step.
 *
 *   next = alpha' (xt / alpha + sum_k noise[i - k] integral of L_k(log rho) d rho from rho[i] to rho[i + 1])
 *
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * Zhang & Chen 2023, "Fast Sampling of Diffusion Models with Exponential Integrator", eq. 14 and 15 (rho-AB in log rho).
 */
export function deis(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: DeisOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { order = 2, lowerOrderFinal = true } = options
  checkPathStart('deis', path, xT, true)
  checkFalling('deis', path)
  if (![1, 2, 3].includes(order)) throw new RangeError(`deis: order must be 1, 2 or 3 (got ${order as number})`)
  const numSteps = path.steps.length
  const rho = path.steps.map(({ from }) => ratioOf(from))
  return runPath(
    path,
    xT,
    (xt, { from, to }, index, before) => {
      const { x0, noise } = denoise(xt, from)
      const isFew = lowerOrderFinal && numSteps < FEW_STEPS
      const used = latest(noise, before, isFew ? Math.min(order, numSteps - index) : order)
      const nodes = used.map((_, k) => Math.log(rho[index - k] / rho[index]))
      const end = ratioOf(to) / rho[index]
      const terms = used.map((each, k): Term => {
        const basis = lagrangeBasis(nodes, k)
        return [to.alpha * rho[index] * (inLog(basis, end) - inLog(basis, 1)), each]
      })
      const carry = latest(noise, before, order - 1)
      return { xt: combine([to.alpha / from.alpha, xt], ...terms), x0, carry }
    },
    options,
  )
}

/**
 * Antiderivative of a polynomial in u = log r, over r:
 *
 *   integral of u^k dr = r u^k - k integral of u^(k - 1) dr
 *
 * It is 0 at r = 0.
 */
function inLog(polynomial: readonly number[], r: number): number {
  if (r === 0) return 0
  const u = Math.log(r)
  let power = r
  let total = polynomial[0] * power
  for (let k = 1; k < polynomial.length; k++) {
    power = r * u ** k - k * power
    total += polynomial[k] * power
  }
  return total
}
