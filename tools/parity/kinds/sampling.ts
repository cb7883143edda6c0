import { boundOverSteps, type DenoiserOptions, type PredictAt } from '@dit/diffusion'
import { forward } from '@dit/model'
import { ddim, ddpm, guidedDoubled } from '@dit/sampler'
import { reversedPath } from '@dit/schedules'
import { type Backend, keep, reshape, slice, tensor, type Tensor } from '@dit/tensor'
import type { Case } from '../manifest.js'
import type { Fixture } from '../fixture.js'
import { evaluate } from '../formula.js'
import type { KindRunner, Outcome } from '../outcome.js'
import { modelConfig, processOf } from '../reference-names.js'

/** Whole chains: DDPM, DDIM, reverse DDIM, and the bound over all steps. */
export const sampling: KindRunner = async (entry, fixture, outcome) => {
  const { config } = entry
  const process = processOf(config.diffusion)
  const seen = { timesteps: [] as number[], outputs: [] as Tensor[] }
  const predict = watched(predictor(entry, fixture), seen)
  const noise = fixture.has('in.noise') ? { noise: recordedNoise(fixture.input('noise')) } : {}

  if (config.method === 'bpd') {
    const bound = await boundOverSteps(process.diffusion, predict, fixture.input('x_start'), {
      noise: recordedNoise(fixture.input('noise')),
      clipDenoised: config.clip_denoised,
    })
    outcome.set('out.total_bpd', bound.total)
    outcome.set('out.prior_bpd', bound.prior)
    outcome.set('out.vb', bound.vb)
    outcome.set('out.xstart_mse', bound.x0Mse)
    outcome.set('out.mse', bound.mse)
  } else {
    const clipDenoised = config.clip_denoised as boolean
    const correct = hooks(entry, fixture.backend)
    const denoise = process.denoiser(predict, { ...correct, ...(clipDenoised ? { clipRange: 1 } : {}) })
    const path = process.path()
    const xT = fixture.input('x_init')
    const steps =
      config.method === 'ddpm'
        ? ddpm(process.diffusion, predict, xT, { clipDenoised, ...correct, ...noise } as Parameters<typeof ddpm>[3])
        : config.method === 'ddim'
          ? ddim(path, denoise, xT, { ...noise, eta: config.eta })
          : config.method === 'ddim-reverse'
            ? ddim(reversedPath(path), denoise, xT)
            : unknownMethod(config.method)
    await readSteps(steps, outcome)
  }
  outcome.set('out.model_t', seen.timesteps)
  await readAll('out.model_output', seen.outputs, outcome)
}

function predictor({ config }: Case, fixture: Fixture): PredictAt {
  const model = modelConfig(config.model)
  const params = fixture.params('model.')
  const labels = fixture.ints('y')
  const run = (xt: Tensor, timesteps: ArrayLike<number>, y: Int32Array) =>
    forward(model, params, { xt, timesteps, labels: y })
  if (config.cfg_scale !== undefined) return guidedDoubled(run, { labels, scale: config.cfg_scale })
  return (xt, timesteps) => run(xt, timesteps, labels)
}

/** Notes what the model was asked and what it answered. */
function watched(predict: PredictAt, seen: { timesteps: number[]; outputs: Tensor[] }): PredictAt {
  return (xt, timesteps) => {
    const output = predict(xt, timesteps)
    seen.timesteps.push(...timesteps)
    seen.outputs.push(keep(reshape(output, output.shape)))
    return output
  }
}

/** The case's formulas for classifier guidance and for the hook on the predicted x0. */
function hooks({ config }: Case, backend: Backend): Pick<DenoiserOptions, 'conditionGradient' | 'denoise'> {
  const formula = (text: string) => text.split(',')[0]
  return {
    ...(config.cond_fn === undefined
      ? {}
      : {
          conditionGradient: (x: Tensor, timesteps: ArrayLike<number>) =>
            evaluate(
              formula(config.cond_fn),
              { x, t: tensor(Array.from(timesteps), [timesteps.length, 1, 1, 1], { backend }) },
              backend,
            ),
        }),
    ...(config.denoised_fn === undefined
      ? {}
      : { denoise: (x: Tensor) => evaluate(formula(config.denoised_fn), { x }, backend) }),
  }
}

function recordedNoise(noise: Tensor): (step: number) => Tensor {
  return (step) => reshape(slice(noise, 0, step, 1), noise.shape.slice(1))
}

async function readSteps(steps: AsyncIterable<{ xt: Tensor; x0: Tensor }>, outcome: Outcome): Promise<void> {
  const [samples, predictions]: [Tensor[], Tensor[]] = [[], []]
  for await (const { xt, x0 } of steps) {
    samples.push(keep(reshape(xt, xt.shape)))
    predictions.push(keep(reshape(x0, x0.shape)))
  }
  await readAll('out.sample', samples, outcome)
  await readAll('out.pred_xstart', predictions, outcome)
}

async function readAll(name: string, tensors: readonly Tensor[], outcome: Outcome): Promise<void> {
  const all: number[] = []
  for (const tensor of tensors) for (const value of await tensor.data()) all.push(value)
  outcome.set(name, all)
}

function unknownMethod(method: string): never {
  throw new Error(`the runner does not know the method ${method}`)
}
