import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine, type Term } from './combine.js'
import { type DpmAlgorithm, type DpmType, exponentialStep } from './exponential-step.js'
import { type NoiseSource, stepNoise } from './noise.js'
import { checkFalling, checkPathStart, lambdaOf, latest, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/** Options of `dpmMultistep`; the SDEs need a seed or a noise function. */
export interface DpmOptions extends PathOptions, Partial<Pick<NoiseSource, 'seed' | 'noise' | 'firstSample'>> {
  /** `dpmsolver++` by default. */
  readonly algorithm?: DpmAlgorithm
  /** How many estimates are used, this step's included: 1, 2 (default) or 3; at most 2 with `sde-dpmsolver`. */
  readonly order?: 1 | 2 | 3
  /** Form of the second order: `midpoint` (default) or `heun`. */
  readonly type?: DpmType
  /** Whether the last steps of fewer than 15 are of lower order, which is more stable (default). */
  readonly lowerOrderFinal?: boolean
  /** Whether the last step is always of order 1 (default not). It is in any case where it leads to no noise. */
  readonly eulerAtFinal?: boolean
  /** See `exponentialStep`; `exact` by default. */
  readonly sdeThirdOrder?: 'exact' | 'diffusers'
}

/** Below this count of steps the last ones are of lower order. Lu et al. 2022, appendix on stability; as in their code. */
const FEW_STEPS = 15

/**
 * DPM-Solver and DPM-Solver++, multistep: exponential integration in lambda = log(alpha / sigma), with differences of the last
 * estimates m (of x0 with `++`, else of the noise). One call of the network a step.
 *
 *   D0 = m[i]
 *   D1 = (m[i] - m[i - 1]) / r0                              order 2;  r_k = (lambda[i - k] - lambda[i - k - 1]) / h
 *   D1 = E0 + r0 / (r0 + r1) (E0 - E1),  D2 = (E0 - E1) / (r0 + r1)   order 3, with E_k = (m[i - k] - m[i - k - 1]) / r_k
 *
 * combined as `exponentialStep` says. D2 is half of the second difference, as in the authors' code: the third order lowers the error,
 * but the order of convergence stays 2.
 *
 * @returns yields every step; see `SamplerStep` for who owns what. With an SDE noise is drawn in every step, the last included
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * Lu et al. 2022, "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models", algorithm 2 and appendix B.
 */
export function dpmMultistep(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: DpmOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { algorithm = 'dpmsolver++', order = 2, type = 'midpoint', sdeThirdOrder } = options
  checkPathStart('dpmMultistep', path, xT, true)
  checkFalling('dpmMultistep', path, algorithm.startsWith('sde-'))
  checkDpm('dpmMultistep', path, options)
  if (algorithm === 'sde-dpmsolver' && order === 3) {
    throw new RangeError('dpmMultistep: sde-dpmsolver has no third order; order must be 1 or 2 (got 3)')
  }
  const draw = stepNoise('dpmMultistep', options as Partial<NoiseSource>, algorithm.startsWith('sde-'))
  const lambda = [...path.steps.map(({ from }) => lambdaOf(from)), lambdaOf(path.steps.at(-1)!.to)]
  return runPath(
    path,
    xT,
    (xt, step, index, before) => {
      const estimate = denoise(xt, step.from)
      const m = latest(algorithm.endsWith('++') ? estimate.x0 : estimate.noise, before, order)
      const used = Math.min(m.length, orderAt(path, index, options))
      const h = lambdaOf(step.to) - lambda[index]
      const r = (k: number) => (lambda[index - k] - lambda[index - k - 1]) / h
      const { keep, d0, d1, d2, fresh } = exponentialStep(step, h, {
        algorithm,
        type: used === 3 ? 'heun' : type,
        sdeThirdOrder,
      })
      const noise = draw?.(index, xt.shape, xt.backend)
      const ends: Term[] = noise === undefined ? [] : [[fresh, noise]]
      const carry = m.slice(0, order - 1)
      const result = (...terms: Term[]) => ({
        xt: combine([keep, xt], [d0, m[0]], ...terms, ...ends),
        x0: estimate.x0,
        carry,
      })
      if (used === 1 || h === 0) return result()
      const E0 = combine([1 / r(0), m[0]], [-1 / r(0), m[1]])
      if (used === 2) return result([d1, E0])
      const E1 = combine([1 / r(1), m[1]], [-1 / r(1), m[2]])
      const sum = r(0) + r(1)
      const share = r(0) / sum
      return result([d1 * (1 + share) + d2 / sum, E0], [-d1 * share - d2 / sum, E1])
    },
    options,
  )
}

/** The order that a step may have, where there are enough estimates. */
function orderAt({ steps }: Path, index: number, options: DpmOptions): number {
  const { order = 2, lowerOrderFinal = true, eulerAtFinal = false } = options
  const isFew = lowerOrderFinal && steps.length < FEW_STEPS
  const left = steps.length - index
  if (left === 1 && (eulerAtFinal || isFew || steps[index].to.sigma === 0)) return 1
  return left === 2 && isFew ? Math.min(order, 2) : order
}

/** Throws for options that no DPM-Solver has. */
export function checkDpm(caller: string, path: Path, options: DpmOptions): void {
  const { algorithm = 'dpmsolver++', order = 2, type = 'midpoint' } = options
  const algorithms = ['dpmsolver', 'dpmsolver++', 'sde-dpmsolver', 'sde-dpmsolver++']
  if (!algorithms.includes(algorithm)) {
    throw new RangeError(`${caller}: algorithm must be one of ${algorithms.join(', ')} (got ${algorithm})`)
  }
  if (![1, 2, 3].includes(order)) throw new RangeError(`${caller}: order must be 1, 2 or 3 (got ${String(order)})`)
  if (type !== 'midpoint' && type !== 'heun') {
    throw new RangeError(`${caller}: type must be midpoint or heun (got ${String(type)})`)
  }
  if (!algorithm.endsWith('++') && path.steps.at(-1)!.to.sigma === 0) {
    throw new RangeError(
      `${caller}: ${algorithm} estimates the noise, and cannot end where there is none; the last sigma must be above 0`,
    )
  }
}
