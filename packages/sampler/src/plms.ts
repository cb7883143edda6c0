import type { Denoise } from '@dit/diffusion'
import type { Path, PathStep } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine, type Term } from './combine.js'
import { type Combined, combinedOf, transfer } from './pseudo-step.js'
import { checkPathStart, latest, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/** Options of `plms`. */
export interface PlmsOptions extends PathOptions {
  /** What is combined over the steps: estimates of the `noise` (default), or of `v` on paths that keep the variance. */
  readonly combines?: Combined
  /** The first step as it is taken again, from and to (default: the first step of the path). */
  readonly retaken?: PathStep
}

/** Adams-Bashforth: weights of the newest estimate first. */
const WEIGHTS: readonly (readonly number[])[] = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
]

/**
 * Pseudo linear multistep: the last four estimates of the noise, combined by Adams-Bashforth's weights, in PNDM's transfer. The first
 * step is taken twice, the second time with the mean of the estimates at both ends: N + 1 calls of the network for N steps.
 *
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong arguments; the signal's reason when stopped
 *
 * Liu et al. 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", eq. 12; its start as in Stable Diffusion's code.
 */
export function plms(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: PlmsOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { combines = 'noise', retaken = path.steps[0] } = options
  checkPathStart('plms', path, xT, true)
  return runPath(
    path,
    xT,
    (xt, step, index, before) => {
      const found = denoise(xt, step.from)
      const estimates = latest(combinedOf(found, step.from, combines), before, 4)
      const next = transfer(xt, step, adamsBashforth(estimates), combines)
      const taken = { xt: next, x0: found.x0, carry: estimates.slice(0, 3) }
      const second = path.steps[1]?.from
      if (index > 0 || second === undefined) return taken
      const atEnd = combinedOf(denoise(next, second), second, combines)
      return { ...taken, xt: transfer(xt, retaken, combine([0.5, estimates[0]], [0.5, atEnd]), combines) }
    },
    options,
  )
}

/** Combines up to four estimates, the newest first. */
export function adamsBashforth(estimates: readonly Tensor[]): Tensor {
  const weights = WEIGHTS[estimates.length - 1]
  return combine(...estimates.map((each, k): Term => [weights[k], each]))
}
