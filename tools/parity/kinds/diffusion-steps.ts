import { addNoise, modelMeanVariance, noisedMeanVariance, posterior, priorBits, variationalTerm } from '@dit/diffusion'
import { ddim, ddpmStep, lastStep } from '@dit/sampler'
import { type PathStep, reversedPath } from '@dit/schedules'
import { broadcastTo, concat, slice, type Tensor } from '@dit/tensor'
import type { KindRunner } from '../outcome.js'
import { processOf } from '../reference-names.js'

/** Single steps of the process from a recorded model output. */
export const diffusionSteps: KindRunner = async ({ config }, fixture, outcome) => {
  const process = processOf(config.diffusion)
  const { diffusion } = process
  const [x0, noise, stepNoise] = [fixture.input('x_start'), fixture.input('noise'), fixture.input('step_noise')]
  const output = fixture.input('model_output')
  const timesteps = fixture.ints('t')
  const predict = () => output
  const full = (name: string, value: Tensor) => outcome.read(name, broadcastTo(value, x0.shape))

  const xt = addNoise(diffusion, x0, timesteps, noise)
  await outcome.read('out.x_t', xt)
  for (const [name, moments] of Object.entries({
    q: noisedMeanVariance(diffusion, x0, timesteps),
    posterior: posterior(diffusion, { x0, xt, timesteps }),
  })) {
    await full(`out.${name}.mean`, moments.mean)
    await full(`out.${name}.variance`, moments.variance)
    await full(`out.${name}.log_variance`, moments.logVariance)
  }
  for (const clipDenoised of config.clip_denoised as boolean[]) {
    const prefix = `out.${clipDenoised ? 'clip' : 'noclip'}`
    const options = { clipDenoised }
    const p = modelMeanVariance(diffusion, output, { xt, timesteps }, options)
    await full(`${prefix}.p.mean`, p.mean)
    await full(`${prefix}.p.variance`, p.variance)
    await full(`${prefix}.p.log_variance`, p.logVariance)
    await full(`${prefix}.p.pred_xstart`, p.x0)
    const state = { xt, timesteps, noise: stepNoise }
    await outcome.read(`${prefix}.p_sample`, ddpmStep(diffusion, predict, state, options).xt)
    // A path is the same for all samples, and each of these is at a timestep of its own.
    const ddimOf = async (steps: readonly PathStep[], eta = 0) => {
      const samples = Array.from(timesteps, (timestep, i) => {
        const [x, draw, of] = [xt, stepNoise, output].map((each) => slice(each, 0, i, 1))
        const denoise = process.denoiser(() => of, clipDenoised ? { clipRange: 1 } : {})
        const path = { steps: [steps.find(({ from }) => from.timestep === diffusion.timestepMap[timestep])!] }
        return lastStep(ddim({ ...path, startScale: 1 }, denoise, x, { noise: () => draw, eta }))
      })
      return concat(await Promise.all(samples), 0)
    }
    await outcome.read(`${prefix}.ddim_sample`, await ddimOf(process.path().steps, config.eta))
    await outcome.read(`${prefix}.ddim_reverse_sample`, await ddimOf(reversedPath(process.path()).steps))
    await outcome.read(`${prefix}.vb`, variationalTerm(diffusion, output, { x0, xt, timesteps }, options).bits)
  }
  await outcome.read('out.prior_bpd', priorBits(diffusion, x0))
}
