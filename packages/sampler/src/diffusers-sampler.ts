import { denoiser, type PredictAt } from '@dit/diffusion'
import { affine, sameShape, slice, type Tensor } from '@dit/tensor'
import { diffusersPlan } from './diffusers-plan.js'
import type { DiffusersPlan, DiffusersSolve, DiffusersSteps } from './diffusers/plan.js'
import type { NoiseSource } from './noise.js'
import type { SamplerStep } from './sampler-step.js'

/** What a pipeline's scheduler is told: see `diffusersPlan` for which of them a class has. */
export interface PipelineSamplerOptions extends DiffusersSteps, DiffusersSolve {}

/** A `PredictAt`; a `Predict` will do where the scheduler's timesteps are whole. */
type GivenPredict = { predict(xt: Tensor, timesteps: Int32Array | Float32Array): Tensor }['predict']

/**
 * Runs from noise to x0: the sampler that a folder of diffusers asks for.
 *
 * @param predict told timesteps as the scheduler has them, which are fractional for some; variance channels may follow
 * @param xT      standard normal noise: it is scaled to the first level here
 */
export type PipelineSampler = (
  predict: GivenPredict,
  xT: Tensor,
  options: PipelineSamplerOptions & Partial<NoiseSource>,
) => AsyncGenerator<SamplerStep, void, void>

/**
 * The sampler of a diffusers folder, from its `scheduler/scheduler_config.json`. Where a field is missing, the default of its class
 * holds. See `diffusersPlan` for its parts.
 *
 * @param json the file parsed, or its text: Python writes -Infinity there, which JSON.parse refuses
 * @throws RangeError for a class or an option that is not known here, by its name
 * @throws TypeError when it is no object or a field has the wrong kind
 *
 * @example
 * const sample = diffusersSampler(await readFile('scheduler/scheduler_config.json', 'utf8'))
 * const x0 = await lastStep(sample(predict, noise, { numSteps: 25, seed: 0 }))
 */
export function diffusersSampler(json: unknown): PipelineSampler {
  const layOut = diffusersPlan(json)
  return (predict, xT, { numSteps, mu, timesteps, sigmas, usesClippedModelOutput, ...options }) => {
    const plan = layOut({
      numSteps,
      ...(mu === undefined ? {} : { mu }),
      ...(timesteps === undefined ? {} : { timesteps }),
      ...(sigmas === undefined ? {} : { sigmas }),
      ...(usesClippedModelOutput === undefined ? {} : { usesClippedModelOutput }),
    })
    const { outputsPerChannel = 1 } = plan.reading
    const read = outputsPerChannel === 1 ? withoutVariance(predict) : predict
    const run = (start: Tensor) => plan.solve(plan.path, denoiser(read, plan.reading), start, options)
    run(xT) // throws at once where the options do not fit
    return fromScaled(plan, xT, run)
  }
}

async function* fromScaled(
  { path }: DiffusersPlan,
  xT: Tensor,
  run: (start: Tensor) => AsyncGenerator<SamplerStep, void, void>,
): AsyncGenerator<SamplerStep, void, void> {
  const start = affine(xT, path.startScale)
  try {
    yield* run(start)
  } finally {
    start.dispose()
  }
}

/** Leaves out the second half of the channels, where there are twice as many. */
function withoutVariance(predict: PredictAt): PredictAt {
  return (xt, timesteps) => {
    const output = predict(xt, timesteps)
    const channels = xt.shape[1]
    return sameShape(output.shape, xt.shape.with(1, 2 * channels)) ? slice(output, 1, 0, channels) : output
  }
}
