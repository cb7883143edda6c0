import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine, type Term } from './combine.js'
import { checkDpm, type DpmOptions } from './dpm-multistep.js'
import { exponentialStep } from './exponential-step.js'
import { type NoiseSource, stepNoise } from './noise.js'
import { checkFalling, checkPathStart, lambdaOf, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/** Options of `dpmSinglestep`; the SDE needs a seed or a noise function. */
export interface DpmSinglestepOptions
  extends PathOptions, Pick<DpmOptions, 'order' | 'type' | 'seed' | 'noise' | 'firstSample' | 'sdeThirdOrder'> {
  /** `dpmsolver++` by default. */
  readonly algorithm?: 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver++'
  /** Whether the last group may be shorter or of lower order; where not, the order must divide the number of steps. */
  readonly lowerOrderFinal?: boolean
}

/**
 * DPM-Solver and DPM-Solver++, single-step: the steps of the path come in groups of up to `order`. Each goes from the start of its group,
 * at order 1, then 2, then 3, with the estimates m made inside the group: nothing is carried from one group to the next.
 *
 *   D0 = m[0],  E_k = (m[k] - m[0]) / r_k,  r_k = (lambda[k] - lambda[0]) / h       the group's start is 0, h is from there
 *   order 2     D1 = E1
 *   order 3     midpoint: D1 = E2      heun: D1 = (r2 E1 - r1 E2) / (r2 - r1),  D2 = 2 (E2 - E1) / (r2 - r1)
 *
 * combined as `exponentialStep` says. One call of the network a step of the path.
 *
 * @returns yields every step; see `SamplerStep` for who owns what. With an SDE noise is drawn in every step
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * Lu et al. 2022, "DPM-Solver", algorithms 1 and 2; "DPM-Solver++", algorithm 1.
 */
export function dpmSinglestep(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: DpmSinglestepOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { algorithm = 'dpmsolver++', order = 2, type = 'midpoint', lowerOrderFinal = true, sdeThirdOrder } = options
  checkPathStart('dpmSinglestep', path, xT, true)
  checkFalling('dpmSinglestep', path, algorithm.startsWith('sde-'))
  checkDpm('dpmSinglestep', path, options)
  if ((algorithm as string) === 'sde-dpmsolver') {
    throw new RangeError(
      'dpmSinglestep: algorithm must be dpmsolver, dpmsolver++ or sde-dpmsolver++ (got sde-dpmsolver)',
    )
  }
  const orders = groupOrders(path, order, lowerOrderFinal)
  const draw = stepNoise('dpmSinglestep', options as Partial<NoiseSource>, algorithm.startsWith('sde-'))
  return runPath(
    path,
    xT,
    (xt, { from, to }, index, before) => {
      const estimate = denoise(xt, from)
      const newest = algorithm.endsWith('++') ? estimate.x0 : estimate.noise
      const used = orders[index]
      // Carried: xt at the start of the group, then its estimates from the first on.
      const [start, ...m] = used === 1 ? [xt, newest] : [...before, newest]
      const levels = path.steps.slice(index - used + 1, index + 1).map((step) => lambdaOf(step.from))
      const h = lambdaOf(to) - levels[0]
      const r = (k: number) => (levels[k] - levels[0]) / h
      const E = (k: number) => combine([1 / r(k), m[k]], [-1 / r(k), m[0]])
      const form = used === 3 ? 'heun' : type
      const whole = { from: path.steps[index - used + 1].from, to }
      const { keep, d0, d1, d2, fresh } = exponentialStep(whole, h, { algorithm, type: form, sdeThirdOrder })
      const noise = draw?.(index, xt.shape, xt.backend)
      const ends: Term[] = noise === undefined ? [] : [[fresh, noise]]
      const result = (...terms: Term[]) => ({
        xt: combine([keep, start], [d0, m[0]], ...terms, ...ends),
        x0: estimate.x0,
        carry: [start, ...m],
      })
      if (used === 1 || h === 0) return result()
      if (used === 2) return result([d1, E(1)])
      if (type === 'midpoint') return result([d1, E(2)])
      const apart = r(2) - r(1)
      return result([(d1 * r(2) - 2 * d2) / apart, E(1)], [(2 * d2 - d1 * r(1)) / apart, E(2)])
    },
    options,
  )
}

/** The order of each step: 1, 2, .. within each group; the last groups are cut short so that the last step is of order 1. */
function groupOrders({ steps }: Path, order: number, lowerOrderFinal: boolean): number[] {
  const N = steps.length
  if (!lowerOrderFinal && N % order !== 0) {
    throw new RangeError(
      `dpmSinglestep: order ${order} must divide the number of steps, or lowerOrderFinal be true (got ${N} steps)`,
    )
  }
  const orders = Array.from({ length: N }, (_, i) => (i % order) + 1)
  // With lower order at the end: .. 1 2 | 1 for N = 0 modulo the order, else the last group is short already.
  if (lowerOrderFinal && order > 1 && N % order === 0) orders[N - 1] = 1
  if (steps[N - 1].to.sigma === 0) orders[N - 1] = 1
  return orders
}
