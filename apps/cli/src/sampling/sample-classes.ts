import type { PredictAt } from '@dit/diffusion'
import type { DiTConfig, ParameterSource } from '@dit/model'
import {
  dormandPrince,
  type GuidanceRange,
  type NoiseSource,
  type PipelineSampler,
  rungeKutta,
  type SamplerStep,
  startNoise,
} from '@dit/sampler'
import type { Spacing } from '@dit/schedules'
import { affine, type Backend, dispose, type Params, tensor, type Tensor, toFloat32Array } from '@dit/tensor'
import { type FlowProcessSpec, processFromSpec, type ProcessSpec } from '@dit/train-ddp'
import { isFlow, mostSteps } from '../run/objective-config.js'
import { SDE_SOLVERS, sdeSteps, type SdeSamplerName, type SdeSettings } from './flow-options.js'
import { gaussianSteps } from './gaussian-steps.js'
import { guidedPredictor } from './guided-predictor.js'
import { isFlowPathSolver, PATH_SOLVERS } from './path-solvers.js'
import { type RecordedNoise, recordedPart } from './recorded-noise.js'
import { defaultSampler, FLOW_SAMPLERS, type SamplerName } from './sampler-names.js'
import { pathOfFlow } from './sampling-path.js'

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
  /** How the steps lie in the process; by default as the sampler has it. */
  readonly spacing?: Spacing
  /** Shift of a flow's times; by default that of its training. */
  readonly shift?: number
  /** Share of noise in each step of `ddim`, 0 (default) to 1. */
  readonly eta?: number
  /** Scale of classifier-free guidance; 1 (default) is none. */
  readonly guidance?: number
  /** The label that stands for no class; the model's own by default. */
  readonly nullClass?: number
  /** Channels that are guided: the first three (default) or all. */
  readonly guidanceChannels?: number | 'all'
  /** A weaker model of the same process that `guidance` leads away from, in place of classifier-free guidance. */
  readonly guide?: { readonly model: DiTConfig; readonly params: Params | ParameterSource }
  /** Guidance where sigma / alpha lies in this range only; everywhere by default. */
  readonly guidanceInterval?: GuidanceRange
  /** How much of the contrast of the conditional output guided channels get back, 0 (default) to 1. */
  readonly guidanceRescale?: number
  /** Keep estimates of x0 in [-1, 1] (default), which suits pixels. */
  readonly clip?: boolean
  readonly seed: number
  /** Of `sde` and `heun-sde`. */
  readonly sde?: SdeSettings
  /** Error of a step of `dopri5`. */
  readonly tolerance?: { readonly rtol?: number; readonly atol?: number }
  /** Noise to start from, `[N, C, H, W]`, in place of that of the seed. */
  readonly noise?: RecordedNoise
  /** Noise of the steps, `[draws, N, C, H, W]`, in place of that of the seed: for `sde`, `heun-sde`, `ddpm` and `ddim`. */
  readonly draws?: RecordedNoise
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
  /** Step of the batch, from 0, and its samples after it: `[batch, C, H, W]` from sample `first` on. */
  readonly index: number
  readonly first: number
  readonly state: () => Promise<Float32Array>
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
    const xT =
      options.noise === undefined
        ? startNoise([batch.length, ...shape], { seed, firstSample: first, backend })
        : tensor(
            recordedPart(options.noise, { first, count: batch.length, sampleSize: size }),
            [batch.length, ...shape],
            {
              backend,
            },
          )
    const steps = stepsOf(options, guidedPredictor(options, batch), xT, first)
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
          const finished = first + (isLast ? batch.length : 0)
          await onStep?.({ done: ++done, total, finished, index, first, state: () => toFloat32Array(xt), preview })
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
  const { process, sampler = defaultSampler(process), steps, spacing, eta = 0, seed, clip = true, signal } = options
  if (typeof sampler === 'function') {
    return sampler(predict, xT, { numSteps: steps, eta, signal, seed, firstSample: first })
  }
  if (isFlow(process)) return flowSteps(options, process, predict, xT, first)
  const noise = { ...noiseSource(options, first), signal }
  return gaussianSteps(process, sampler, predict, xT, { steps, spacing, eta, clip, noise })
}

/** Where the noise of the steps comes from. */
function noiseSource({ seed, draws }: SampleOptions, first: number): NoiseSource {
  if (draws === undefined) return { seed, firstSample: first }
  return {
    noise: (draw, shape, backend) => {
      const sampleSize = shape.slice(1).reduce((product, size) => product * size, 1)
      return tensor(recordedPart(draws, { draw, first, count: shape[0], sampleSize }), shape, { backend })
    },
  }
}

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
  const { model, clip = true, seed, signal, tolerance = {} } = options
  const sampler = typeof options.sampler === 'string' ? options.sampler : FLOW_SAMPLERS[0]
  const known = processFromSpec(process, model.learnSigma ? 2 : 1)
  const denoise = known.denoiser(predict, clip ? { clipRange: 1 } : {})
  if (isFlowPathSolver(sampler)) {
    const path = pathOfFlow(process, options, 'signal')
    const noise = { seed, firstSample: first, signal }
    return fromScaled(xT, path.startScale, (start) => PATH_SOLVERS[sampler](path, denoise, start, noise))
  }
  if (Object.hasOwn(SDE_SOLVERS, sampler)) {
    const noise = { ...noiseSource(options, first), signal }
    return sdeSteps(sampler as SdeSamplerName, process, denoise, xT, options, noise)
  }
  const path = pathOfFlow(process, options, 'ode')
  if (sampler === 'dopri5') return dormandPrince(path, denoise, xT, { ...tolerance, signal })
  const method = METHODS[sampler as keyof typeof METHODS]
  // As for every solver that ends at no noise: only a velocity is as good at the end of the last step as elsewhere.
  const lastMethod = process.prediction === 'velocity' ? method : 'euler'
  return rungeKutta(path, denoise, xT, { method, lastMethod, signal })
}

/** Solves from noise times a factor. */
async function* fromScaled(
  xT: Tensor,
  factor: number,
  solve: (start: Tensor) => AsyncGenerator<SamplerStep, void, void>,
): AsyncGenerator<SamplerStep, void, void> {
  const start = affine(xT, factor)
  try {
    yield* solve(start)
  } finally {
    start.dispose()
  }
}

function checkBatch({ process, steps, sampler, spacing, batchSize = 32 }: SampleOptions): void {
  const most = mostSteps(process)
  if (!(Number.isSafeInteger(steps) && steps >= 1 && steps <= most)) {
    const limit = most === Infinity ? 'a positive integer' : `1 to ${most}, the timesteps of the process`
    throw new RangeError(`sampleClasses: steps must be ${limit} (got ${steps})`)
  }
  if (sampler === 'dpm' && spacing === undefined && steps === most) {
    throw new RangeError(
      `sampleClasses: steps must be below ${most} with dpm, whose last step to no noise takes one timestep more (got ${steps})`,
    )
  }
  if (!(Number.isSafeInteger(batchSize) && batchSize >= 1)) {
    throw new RangeError(`sampleClasses: batchSize must be a positive integer (got ${batchSize})`)
  }
}
