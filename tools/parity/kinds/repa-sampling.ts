import { denoiser } from '@dit/diffusion'
import { eulerMaruyama, guidanceInterval, guided, lastStep, rungeKutta, type Timesteps } from '@dit/sampler'
import { flowPath, type Interpolant } from '@dit/schedules'
import { reshape, slice, type Tensor } from '@dit/tensor'
import { dummyFlow } from '../flow.js'
import type { KindRunner } from '../outcome.js'

const interpolants: Readonly<Record<string, Interpolant>> = { linear: 'linear', cosine: 'gvp' }

/** Where REPA's SDE leaves its grid for the last step, to 0. */
const LAST_TIME = 0.04

/** REPA's samplers of a stand-in function, guided in an interval of times. Its time runs as ours: 0 is data. */
export const repaSampling: KindRunner = async ({ config }, fixture, outcome) => {
  const { sampler, num_steps: numSteps, heun, cfg_scale: scale, guidance_low: low, guidance_high: high } = config
  const [asked, batches]: [number[], number[]] = [[], []]
  const model = (xt: Tensor, timesteps: Timesteps, labels: Int32Array) => {
    asked.push(timesteps[0])
    batches.push(xt.shape[0])
    return dummyFlow(labels)(xt, timesteps)
  }
  const labels = fixture.ints('y')
  const options = { prediction: 'velocity' } as const
  const plain = denoiser((xt, timesteps) => model(xt, timesteps, labels), options)
  const denoise =
    scale > 1
      ? guidanceInterval(denoiser(guided(model, { labels, nullLabel: 1000, scale, channels: 'all' }), options), plain, {
          times: [low, high],
        })
      : plain
  const flow = { interpolant: interpolants[config.path_type] }
  const start = fixture.input('x_init')
  if (sampler === 'euler_sampler') {
    const path = flowPath({ ...flow, numSteps, from: 1, to: 0 })
    const steps = rungeKutta(path, denoise, start, { method: heun ? 'heun2' : 'euler', lastMethod: 'euler' })
    await outcome.read('out.sample', await lastStep(steps))
  } else {
    const path = flowPath({ ...flow, numSteps: numSteps - 1, from: 1, to: LAST_TIME })
    const recorded = fixture.input('noise')
    const noise = (step: number) => reshape(slice(recorded, 0, step, 1), recorded.shape.slice(1))
    // Its diffusion coefficient is 2 t, which is 2 w.
    const steps = eulerMaruyama(path, denoise, start, { form: 'linear', norm: 1, lastStep: 'mean', noise })
    await outcome.read('out.sample', await lastStep(steps))
  }
  outcome.set('out.eval_t', asked)
  outcome.set('out.batch', batches)
}
