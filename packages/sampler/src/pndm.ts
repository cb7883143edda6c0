import type { Denoise } from '@dit/diffusion'
import type { NoiseLevel, Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { combine } from './combine.js'
import { adamsBashforth } from './plms.js'
import { type Combined, combinedOf, transfer } from './pseudo-step.js'
import { checkPathStart, latest, type PathOptions, runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'

/** The middle of a Runge-Kutta step. */
export interface PndmMiddle {
  /** Where the network is asked. */
  readonly level: NoiseLevel
  /** Where the first half of the step leads (default `level`): schedules of whole timesteps may not meet. */
  readonly reached?: NoiseLevel
}

/** Options of `pndm`. */
export interface PndmOptions extends PathOptions {
  /** What is combined over the calls: estimates of the `noise` (default), or of `v` on paths that keep the variance. */
  readonly combines?: Combined
  /** Middles of the first three steps; not needed where the path is known at any time. */
  readonly middles?: readonly PndmMiddle[]
}

/** Steps of Runge-Kutta before the multistep method has its four estimates. */
const WARM_UP = 3

/**
 * PNDM: three pseudo Runge-Kutta steps of four calls each, then `plms`. With e1 at the start of the step, e2 and e3 in its middle (after
 * half a step by e1, by e2), and e4 at its end (after the step by e3):
 *
 *   next = transfer(xt, (e1 + 2 e2 + 2 e3 + e4) / 6)
 *
 * @param path of three steps or more
 * @returns yields every step; see `SamplerStep` for who owns what. N steps take N + 9 calls
 * @throws RangeError or TypeError at once for wrong arguments; the signal's reason when stopped
 *
 * Liu et al. 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", algorithm 2 and eq. 13.
 */
export function pndm(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: PndmOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { combines = 'noise' } = options
  checkPathStart('pndm', path, xT, true)
  if (path.steps.length < WARM_UP) {
    throw new RangeError(
      `pndm: the path must have at least ${WARM_UP} steps, which start the method (got ${path.steps.length})`,
    )
  }
  const middles = options.middles ?? middlesOf(path)
  const asked = (denoised: ReturnType<Denoise>, level: NoiseLevel) => combinedOf(denoised, level, combines)
  return runPath(
    path,
    xT,
    (xt, step, index, before) => {
      const found = denoise(xt, step.from)
      const estimates = latest(asked(found, step.from), before, 4)
      const taken = { x0: found.x0, carry: estimates.slice(0, 3) }
      if (index >= WARM_UP) return { ...taken, xt: transfer(xt, step, adamsBashforth(estimates), combines) }
      const { level, reached = level } = middles[index]
      const by = (estimate: Tensor, to: NoiseLevel) => transfer(xt, { from: step.from, to }, estimate, combines)
      const e1 = estimates[0]
      const e2 = asked(denoise(by(e1, reached), level), level)
      const e3 = asked(denoise(by(e2, level), level), level)
      const e4 = asked(denoise(by(e3, step.to), step.to), step.to)
      return { ...taken, xt: by(combine([1 / 6, e1], [1 / 3, e2], [1 / 3, e3], [1 / 6, e4]), step.to) }
    },
    options,
  )
}

function middlesOf(path: Path): PndmMiddle[] {
  return path.steps.slice(0, WARM_UP).map(({ from, to }) => {
    if (path.at === undefined || from.t === undefined || to.t === undefined) {
      throw new RangeError('pndm: give the middles of the first three steps, or a path that is known at any time')
    }
    return { level: path.at((from.t + to.t) / 2) }
  })
}
