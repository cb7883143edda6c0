import { gaussianProcess, type PredictAt } from '@dit/diffusion'
import { type DiTConfig, forward, nullLabel, type ParameterSource } from '@dit/model'
import {
  ddim,
  ddpm,
  dormandPrince,
  dpmMultistep,
  eulerMaruyama,
  guided,
  type LabelledModel,
  type PipelineSampler,
  rungeKutta,
  type SamplerStep,
  startNoise,
} from '@dit/sampler'
import { flowPath } from '@dit/schedules'
import { type Backend, dispose, type Params, type Tensor, toFloat32Array } from '@dit/tensor'
import { type FlowProcessSpec, processFromSpec, type ProcessSpec } from '@dit/train-ddp'
import { gaussianOptions, isFlow, mostSteps } from '../run/objective-config.js'
import { isPathSolver, PATH_SOLVERS, type PathSolverName } from './path-solvers.js'

/** Samplers of Gaussian diffusions; the first is the default. */
export const GAUSSIAN_SAMPLERS = [
  'ddpm',
  'ddim',
  'dpm',
  ...(Object.keys(PATH_SOLVERS) as readonly PathSolverName[]),
] as const

/** Samplers of flows; the first is the default. All but `sde` draw no noise after the start. */
export const FLOW_SAMPLERS = ['heun', 'euler', 'midpoint', 'rk4', 'dopri5', 'sde'] as const

export type SamplerName = (typeof GAUSSIAN_SAMPLERS | typeof FLOW_SAMPLERS)[number]

export const SAMPLERS: readonly SamplerName[] = [...new Set<SamplerName>([...GAUSSIAN_SAMPLERS, ...FLOW_SAMPLERS])]

/** What samples where nothing else is said. */
export function defaultSampler(process: ProcessSpec): SamplerName {
  return isFlow(process) ? FLOW_SAMPLERS[0] : GAUSSIAN_SAMPLERS[0]
}

export interface SampleOptions {
  readonly model: DiTConfig
  /** The process that the model was trained on. Of a Gaussian one, sampling takes `steps` of its timesteps. */
  readonly process: ProcessSpec
  /** By state-dict name; not disposed of. */
  readonly params: Params | ParameterSource
  readonly backend: Backend
  /** Class of each sample, `[N]`. */
  readonly labels: ArrayLike<number>
  /** Denoising steps, 1 to the timesteps of the process. */
  readonly steps: number
  /** By default that of the process; or the sampler of a pipeline, which then knows its process itself. */
  readonly sampler?: SamplerName | PipelineSampler
  /** Share of noise in each step of `ddim`, 0 (default) to 1. */
  readonly eta?: number
  /** Scale of classifier-free guidance; 1 (default) is none. */
  readonly guidance?: number
  /** The label that stands for no class; the model's own by default. */
  readonly nullClass?: number
  /** Channels that are guided: the first three (default) or all. */
  readonly guidanceChannels?: number | 'all'
  /** Keep estimates of x0 in [-1, 1] (default), which suits pixels. */
  readonly clip?: boolean
  readonly seed: number
  /** Samples at a time (default 32); it does not change their noise. */
  readonly batchSize?: number
  /** Called, and waited for, after every step. */
  readonly onStep?: (step: SampleStep) => void | Promise<void>
  readonly signal?: AbortSignal
}

/** Where sampling stands. */
export interface SampleStep {
  /** Steps done, over all batches. */
  readonly done: number
  readonly total: number
  /** Samples that are finished. */
  readonly finished: number
  /** All samples as they are now: finished ones, the model's estimates of those in work, grey for the rest. `[N, C, H, W]` */
  readonly preview: () => Promise<Float32Array>
}

/**
 * Samples of the given classes. Sample i has noise of its own, a function of the seed and i.
 *
 * @returns `[N, C, H, W]` float32; for pixel models in [-1, 1]
 * @throws RangeError for options that cannot be; the signal's reason when stopped
 */
export async function sampleClasses(options: SampleOptions): Promise<Float32Array> {
  const { model, labels, onStep, batchSize = 32, seed, backend } = options
  checkBatch(options)
  const shape = imageShape(model)
  const size = shape[0] * shape[1] * shape[2]
  const images = new Float32Array(labels.length * size)
  const total = Math.ceil(labels.length / batchSize) * options.steps
  let done = 0
  for (let first = 0; first < labels.length; first += batchSize) {
    const batch = Int32Array.from({ length: Math.min(batchSize, labels.length - first) }, (_, i) => labels[first + i])
    const xT = startNoise([batch.length, ...shape], { seed, firstSample: first, backend })
    const steps = stepsOf(options, predictor(options, batch), xT, first)
    try {
      for await (const { index, numSteps, xt, x0 } of steps) {
        const isLast = index === numSteps - 1
        try {
          if (isLast) images.set(await toFloat32Array(xt), first * size)
          const preview = async () => {
            const now = Float32Array.from(images)
            if (!isLast) now.set(await toFloat32Array(x0), first * size)
            return now
          }
          await onStep?.({ done: ++done, total, finished: first + (isLast ? batch.length : 0), preview })
        } finally {
          if (isLast) dispose([xt, x0])
        }
      }
    } finally {
      xT.dispose()
    }
  }
  return images
}

/** `[C, H, W]` of a model's images. */
export function imageShape({ inChannels, inputSize }: DiTConfig): [channels: number, height: number, width: number] {
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  return [inChannels, height, width]
}

/** The sampling loop over a batch that begins with sample `first`. */
function stepsOf(
  options: SampleOptions,
  predict: PredictAt,
  xT: Tensor,
  first: number,
): AsyncGenerator<SamplerStep, void, void> {
  const { process, sampler = defaultSampler(process), steps, eta = 0, seed, signal } = options
  const clipDenoised = options.clip ?? true
  const noise = { seed, firstSample: first }
  if (typeof sampler === 'function') return sampler(predict, xT, { numSteps: steps, eta, signal, ...noise })
  if (isFlow(process)) return flowSteps(options, process, predict, xT, first)
  const diffusion = gaussianOptions(process)
  const clip = clipDenoised ? { clipRange: 1 } : {}
  if (sampler === 'dpm') {
    const known = gaussianProcess(diffusion)
    const path = known.path({ numSteps: steps, spacing: 'linspace' })
    return dpmMultistep(path, known.denoiser(predict, clip), xT, { signal })
  }
  if (isPathSolver(sampler)) {
    const known = gaussianProcess(diffusion)
    return PATH_SOLVERS[sampler](known.path({ numSteps: steps }), known.denoiser(predict, clip), xT, {
      ...noise,
      signal,
    })
  }
  // Evenly spaced timesteps, the noisiest among them.
  const respaced = gaussianProcess({ ...diffusion, respacing: [steps] })
  if (sampler === 'ddim') return ddim(respaced.path(), respaced.denoiser(predict, clip), xT, { ...noise, eta, signal })
  return ddpm(respaced.diffusion, predict, xT, { ...noise, clipDenoised, signal })
}

/** Where the noisy steps of an SDE end; the last step leads from there to the estimate of x0. */
const SDE_END = 0.04

/** Runge-Kutta methods behind the names of the samplers. */
const METHODS = { heun: 'heun2', euler: 'euler', midpoint: 'midpoint', rk4: 'classic4' } as const

/** The sampling loop of a flow. */
function flowSteps(
  options: SampleOptions,
  process: FlowProcessSpec,
  predict: PredictAt,
  xT: Tensor,
  first: number,
): AsyncGenerator<SamplerStep, void, void> {
  const { model, steps, clip = true, seed, signal } = options
  const sampler = typeof options.sampler === 'string' ? options.sampler : 'heun'
  const known = processFromSpec(process, model.learnSigma ? 2 : 1)
  const denoise = known.denoiser(predict, clip ? { clipRange: 1 } : {})
  const path = known.path({ numSteps: steps })
  if (sampler === 'dopri5') return dormandPrince(path, denoise, xT, { signal })
  if (sampler === 'sde') {
    const from = path.steps[0].from.t!
    const { interpolant, betaMin, betaMax, networkTime, timestepScale } = process
    const flow = { interpolant, betaMin, betaMax, networkTime, timestepScale }
    const noisy = flowPath({ ...flow, numSteps: Math.max(1, steps - 1), from, to: SDE_END })
    return eulerMaruyama(noisy, denoise, xT, { form: 'sigma', lastStep: 'tweedie', seed, firstSample: first, signal })
  }
  const method = METHODS[sampler as keyof typeof METHODS]
  // As for every solver that ends at no noise: only a velocity is as good at the end of the last step as elsewhere.
  const lastMethod = process.prediction === 'velocity' ? method : 'euler'
  return rungeKutta(path, denoise, xT, { method, lastMethod, signal })
}

function checkBatch({ process, steps, sampler, batchSize = 32 }: SampleOptions): void {
  const most = mostSteps(process)
  if (!(Number.isSafeInteger(steps) && steps >= 1 && steps <= most)) {
    const limit = most === Infinity ? 'a positive integer' : `1 to ${most}, the timesteps of the process`
    throw new RangeError(`sampleClasses: steps must be ${limit} (got ${steps})`)
  }
  if (sampler === 'dpm' && steps === most) {
    throw new RangeError(
      `sampleClasses: steps must be below ${most} with dpm, whose last step to no noise takes one timestep more (got ${steps})`,
    )
  }
  if (!(Number.isSafeInteger(batchSize) && batchSize >= 1)) {
    throw new RangeError(`sampleClasses: batchSize must be a positive integer (got ${batchSize})`)
  }
}

function predictor(options: SampleOptions, labels: Int32Array): PredictAt {
  const { model, params, guidance = 1, guidanceChannels = 3, nullClass = nullLabel(model) } = options
  const run: LabelledModel = (xt, timesteps, classes) => forward(model, params, { xt, timesteps, labels: classes })
  if (guidance === 1) return (xt, timesteps) => run(xt, timesteps, labels)
  if (nullClass === null) {
    throw new RangeError(
      `sampleClasses: guidance must be 1 for a model trained without class dropout, which has no null class (got ${guidance})`,
    )
  }
  const channels = guidanceChannels === 'all' ? 'all' : Math.min(guidanceChannels, model.inChannels)
  return guided(run, { labels, nullLabel: nullClass, scale: guidance, channels })
}
