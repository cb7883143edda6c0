import { addNoise, modelMeanVariance, noisedMeanVariance, posterior, priorBits, variationalTerm } from '@dit/diffusion'
import { ddimReverseStep, ddimStep, ddpmStep } from '@dit/sampler'
import { broadcastTo, type Tensor } from '@dit/tensor'
import type { KindRunner } from '../outcome.js'
import { diffusionOf } from '../reference-names.js'

/** Single steps of the process from a recorded model output. */
export const diffusionSteps: KindRunner = async ({ config }, fixture, outcome) => {
  const diffusion = diffusionOf(config.diffusion)
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
    await outcome.read(`${prefix}.ddim_sample`, ddimStep(diffusion, predict, state, { ...options, eta: config.eta }).xt)
    await outcome.read(`${prefix}.ddim_reverse_sample`, ddimReverseStep(diffusion, predict, state, options).xt)
    await outcome.read(`${prefix}.vb`, variationalTerm(diffusion, output, { x0, xt, timesteps }, options).bits)
  }
  await outcome.read('out.prior_bpd', priorBits(diffusion, x0))
}
