import type { Denoise } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import { add, affine, type Tensor } from '@dit/tensor'
import type { NoiseSource } from '../noise.js'
import type { SamplerStep } from '../sampler-step.js'
import { checkStart } from '../step-options.js'
import { runSde, type SdeOptions } from './sde-step.js'

/**
 * Samples with the reverse SDE of a path, by the method of Euler and Maruyama: one call of the network a step. As t falls by h,
 *
 *   xt' = xt + h (w score - velocity) + sqrt(2 w h) draw
 *
 * For every diffusion form w the distributions are those of the ODE; more noise corrects more of the network's errors and needs
 * more steps.
 *
 * @param path     from noise to data; it ends before t = 0, from where the last step leads: see `flowInterval`
 * @param denoise  from `denoiser`
 * @param xT       where the path begins, `[B, C, H, W]`; not disposed of
 * @param options  a seed or a noise function is needed; the last step draws nothing
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong options, or a form that is infinite on the path; the signal's reason when
 *   stopped
 *
 * @example
 * const path = flowPath({ networkTime: 'towardsData', numSteps: 249, to: 0.04 })
 * const steps = eulerMaruyama(path, denoiser(predict, { prediction: 'velocity' }), xT, { form: 'sigma', seed: 0 })
 *
 * Ma et al. 2024, "SiT", eq. 5 and section 2.4; Song et al. 2021, eq. 6.
 */
export function eulerMaruyama(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: SdeOptions & NoiseSource,
): AsyncGenerator<SamplerStep, void, void> {
  checkStart('eulerMaruyama', 'xT', xT)
  const run = runSde('eulerMaruyama', path, denoise, options, false, (xt, { from, h, spread, draws, drift }) => {
    const found = drift(xt, from)
    return { xt: add(add(xt, affine(found.drift, h)), affine(draws, spread)), x0: found.x0 }
  })
  return run(xT)
}
