import { denoiser, type FlowPredictionType } from '@dit/diffusion'
import { forward } from '@dit/model'
import {
  dormandPrince,
  eulerMaruyama,
  guidedDoubled,
  logLikelihood,
  type RungeKuttaMethod,
  rungeKutta,
  type SamplerStep,
  type SdeLastStep,
  stochasticHeun,
} from '@dit/sampler'
import { flowPath, type Path } from '@dit/schedules'
import { affine, reshape, slice, tensor, type Tensor } from '@dit/tensor'
import type { Fixture } from '../fixture.js'
import { dummyFlow, formOf, predictionOf, sitFlow, sitInterval } from '../flow.js'
import type { Case, Config } from '../manifest.js'
import { type KindRunner, type Outcome, throws } from '../outcome.js'
import { modelConfig } from '../reference-names.js'

/** Names of torchdiffeq and ours. */
const methods: Record<string, RungeKuttaMethod> = {
  euler: 'euler',
  midpoint: 'midpoint',
  heun2: 'heun2',
  heun3: 'heun3',
  rk4: 'threeEighths4',
}

/** SiT's samplers: ODE, SDE and likelihood, of a stand-in function or a small network. */
export const flowSampling: KindRunner = async (entry, fixture, outcome) => {
  if (entry.name === 'reference-limits') return limits(fixture, outcome)
  const { config } = entry
  if (fixture.has('in.rademacher01')) await likelihood(entry, fixture, outcome)
  else if (config.sde === undefined) await ode(entry, fixture, outcome)
  else await sde(entry, fixture, outcome)
}

type SitPredict = (xt: Tensor, timesteps: Int32Array | Float32Array) => Tensor

/** The network or function of a case, with the times at which it is called. */
function predictor({ config }: Case, fixture: Fixture): { predict: SitPredict; asked: number[]; outputs: 1 | 2 } {
  const asked: number[] = []
  const labels = fixture.ints('y')
  const note = (predict: SitPredict): SitPredict => {
    return (xt, timesteps) => {
      asked.push(timesteps[0])
      return predict(xt, timesteps)
    }
  }
  if (config.class !== 'SiT') return { predict: note(dummyFlow(labels)), asked, outputs: 1 }
  const model = modelConfig(config.model)
  const params = fixture.params('model.')
  const run = (xt: Tensor, timesteps: ArrayLike<number>, y: Int32Array) =>
    forward(model, params, { xt, timesteps, labels: y })
  const predict: SitPredict =
    config.cfg_scale === undefined
      ? (xt, timesteps) => run(xt, timesteps, labels)
      : guidedDoubled(run, { labels, scale: config.cfg_scale })
  return { predict: note(predict), asked, outputs: model.learnSigma ? 2 : 1 }
}

/** Also LightningDiT's, whose shift is the inverse of ours. */
export async function ode(entry: Case, fixture: Fixture, outcome: Outcome): Promise<void> {
  const { transport, ode: options } = entry.config
  const { predict, asked, outputs } = predictor(entry, fixture)
  const denoise = denoiser(predict, { prediction: predictionOf(transport.prediction), outputsPerChannel: outputs })
  const path = odePath(transport, options)
  const start = fixture.input('x_init')
  const steps =
    options.sampling_method === 'dopri5'
      ? dormandPrince(path, denoise, start, { rtol: options.rtol, atol: options.atol, mayPassEnd: true })
      : rungeKutta(path, denoise, start, { method: methodOf(options.sampling_method) })
  const trajectory = await readTrajectory(steps, start)
  outcome.set(
    'out.t',
    [path.steps[0].from, ...path.steps.map(({ to }) => to)].map(({ t }) => 1 - t!),
  )
  outcome.set('out.trajectory', trajectory)
  outcome.set('out.exact', trajectory)
  outcome.set('out.eval_t', asked)
  const { model_evaluations: wanted, model_evaluations_float32: wanted32 = wanted } = entry.facts ?? {}
  if (wanted === undefined) return
  const counts = fixture.backend.float === 'f64' ? [wanted] : [wanted, wanted32]
  outcome.fact(`the model is called ${counts.join(' or ')} times (got ${asked.length})`, counts.includes(asked.length))
}

/** SiT's grid in our time. Its reverse mirrors both ends, so that VP starts at the data itself and stops before the noise. */
function odePath(transport: Config, { num_steps, reverse = false, timestep_shift: shift = 0 }: Config): Path {
  const { min, max } = sitInterval(transport, { use: 'ode' })
  const ends = reverse ? { from: 1 - max, to: 1 - min } : { from: max, to: min }
  return flowPath({
    ...sitFlow(transport.path_type),
    ...ends,
    numSteps: num_steps - 1,
    shift: shift > 0 ? 1 / shift : 1,
  })
}

async function sde(entry: Case, fixture: Fixture, outcome: Outcome): Promise<void> {
  const { transport, sde: options } = entry.config
  const { predict, asked, outputs } = predictor(entry, fixture)
  const denoise = denoiser(predict, { prediction: predictionOf(transport.prediction), outputsPerChannel: outputs })
  const lastStep = (options.last_step === null ? 'none' : options.last_step.toLowerCase()) as SdeLastStep
  const lastStepSize = lastStep === 'none' ? 0 : options.last_step_size
  const { min, max } = sitInterval(transport, {
    use: 'sde',
    lastStepSize,
    isOwnReversal: options.diffusion_form === 'SBDM',
  })
  const path = flowPath({ ...sitFlow(transport.path_type), from: max, to: min, numSteps: options.num_steps - 1 })
  const solver = options.sampling_method === 'Heun' ? stochasticHeun : eulerMaruyama
  const noise = fixture.input('noise')
  const steps = solver(path, denoise, fixture.input('x_init'), {
    form: formOf(options.diffusion_form),
    norm: options.diffusion_norm,
    lastStep,
    lastStepSize,
    noise: (step) => reshape(slice(noise, 0, step, 1), noise.shape.slice(1)),
  })
  const trajectory = await readTrajectory(steps)
  // SiT repeats the last sample where there is no last step.
  if (lastStep === 'none') trajectory.push(...trajectory.slice(-fixture.input('x_init').size))
  outcome.set('out.trajectory', trajectory)
  outcome.set(
    'out.t',
    [path.steps[0].from, ...path.steps.map(({ to }) => to)].map(({ t }) => 1 - t!),
  )
  // SiT calls the model once for the drift and once for the score, where we call it once for both.
  const numLast = lastStep === 'none' ? 0 : 1
  const noisy = asked.slice(0, asked.length - numLast).flatMap((t) => [t, t])
  const last = asked.slice(asked.length - numLast)
  outcome.set('out.eval_t', [...noisy, ...last, ...(lastStep === 'mean' ? last : [])])
}

async function likelihood(entry: Case, fixture: Fixture, outcome: Outcome): Promise<void> {
  const { transport, ode: options } = entry.config
  const { predict, outputs } = predictor(entry, fixture)
  const denoise = denoiser(predict, { prediction: predictionOf(transport.prediction), outputsPerChannel: outputs })
  const draws = fixture.ints('rademacher01')
  const x0 = fixture.input('x')
  const { backend, dtype } = x0
  const result = await logLikelihood(odePath(transport, { ...options, reverse: true }), denoise, x0, {
    solver:
      options.sampling_method === 'dopri5'
        ? { rtol: options.rtol, atol: options.atol, mayPassEnd: true }
        : { method: methodOf(options.sampling_method) },
    signs: (evaluation, shape) => {
      const part = draws.subarray(evaluation * x0.size, (evaluation + 1) * x0.size)
      return affine(tensor(Float32Array.from(part), shape, { backend, dtype }), 2, -1)
    },
  })
  await outcome.read('out.logp', result.logLikelihood)
  await outcome.read('out.prior_logp', result.prior)
  await outcome.read('out.z', result.z)
}

/** What the reference cannot do: we do it, or say why not. */
async function limits({ backend }: Fixture, outcome: Outcome): Promise<void> {
  const x = tensor([0.5, -1, 0.2, 2], [1, 1, 2, 2], { backend, dtype: backend.float })
  const run = async (pathType: string, prediction: FlowPredictionType, form: string) => {
    const options = { path_type: pathType, prediction: prediction === 'epsilon' ? 'noise' : prediction }
    const { min, max } = sitInterval(options, { use: 'sde', lastStepSize: 0.04, isOwnReversal: form === 'SBDM' })
    const path = flowPath({ ...sitFlow(pathType), from: max, to: min, numSteps: 4 })
    const denoise = denoiser(dummyFlow([1]), { prediction })
    return readTrajectory(eulerMaruyama(path, denoise, x, { form: formOf(form), seed: 0 }))
  }
  for (const pathType of ['Linear', 'GVP', 'VP']) {
    for (const prediction of ['velocity', 'score', 'epsilon'] as const) {
      for (const form of ['constant', 'SBDM', 'sigma', 'linear', 'decreasing', 'increasing-decreasing']) {
        const claim = `${pathType}, ${prediction}, ${form}`
        if (form === 'SBDM' && prediction === 'velocity' && pathType !== 'VP') {
          const denoise = denoiser(dummyFlow([1]), { prediction })
          const path = flowPath({ ...sitFlow(pathType), to: 0.04, numSteps: 4 })
          outcome.fact(
            `${claim} is refused at t = 1`,
            throws(() => eulerMaruyama(path, denoise, x, { form: 'sbdm', seed: 0 })),
          )
        } else {
          const values = await run(pathType, prediction, form)
          outcome.fact(`${claim} is finite`, values.every(Number.isFinite))
        }
      }
    }
  }
}

/** All values of all steps, in order. */
async function readTrajectory(steps: AsyncIterable<SamplerStep>, start?: Tensor): Promise<number[]> {
  const all: number[] = start === undefined ? [] : [...(await start.data())]
  for await (const { xt } of steps) all.push(...(await xt.data()))
  return all
}

function methodOf(name: string): RungeKuttaMethod {
  const found = methods[name]
  if (found === undefined) throw new Error(`the runner does not know the method ${name}`)
  return found
}
