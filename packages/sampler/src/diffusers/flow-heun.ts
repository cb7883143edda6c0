import { type Denoise, velocityOf } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { checkChurn, type ChurnOptions, churnOf } from '../churn.js'
import { combine } from '../combine.js'
import { type NoiseSource, stepNoise } from '../noise.js'
import { checkPathStart, type PathOptions, runPath } from '../run-path.js'
import type { SamplerStep } from '../sampler-step.js'

/**
 * Heun's method along a straight path of N steps, with the churn of diffusers' `FlowMatchHeunDiscreteScheduler`. Unlike that of `heun`
 * it takes sigma for sigma / alpha, and the network does not see the noise that is added:
 *
 *   sHat = sigma (1 + gamma)        gamma = min(churn / (2 N - 1), sqrt(2) - 1) for churnMin <= sigma <= churnMax, else 0
 *   xHat = xt + churnNoise sqrt(sHat^2 - sigma^2) draw
 *   d    = sigma / sHat v(xt, sigma)
 *   d'   = v(xHat + (sigma' - sHat) d, sigma')
 *   next = xHat + (sigma' - sHat) (d + d') / 2        the last step has d alone
 */
export function flowHeun(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: PathOptions & ChurnOptions & Partial<NoiseSource>,
): AsyncGenerator<SamplerStep, void, void> {
  const { churn = 0, churnNoise = 1 } = options
  checkPathStart('diffusersSampler', path, xT)
  checkChurn('diffusersSampler', options)
  const draw = stepNoise('diffusersSampler', options, churn > 0)
  const numCalls = 2 * path.steps.length - 1
  return runPath(
    path,
    xT,
    (xt, step, index) => {
      const { from, to } = step
      const gamma = churnOf(from.sigma, numCalls, options)
      const sHat = from.sigma * (1 + gamma)
      const added = churnNoise * Math.sqrt(sHat ** 2 - from.sigma ** 2)
      const xHat = gamma === 0 ? xt : combine([1, xt], [added, draw!(index, xt.shape, xt.backend)])
      const first = denoise(xt, from, step)
      const d = combine([1 / (1 + gamma), velocityOf(first, xt, from)])
      const reach = (slope: Tensor) => combine([1, xHat], [to.sigma - sHat, slope])
      if (index === path.steps.length - 1) return { xt: reach(d), x0: first.x0 }
      // The library draws here as well, and subtracts it again.
      if (gamma > 0) draw!(index, xt.shape, xt.backend)
      const predicted = reach(d)
      const second = velocityOf(denoise(predicted, to, step), predicted, to)
      return { xt: reach(combine([0.5, d], [0.5, second])), x0: first.x0 }
    },
    options,
  )
}
