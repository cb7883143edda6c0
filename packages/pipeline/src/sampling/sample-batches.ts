import { type Denoise, isFlow, type PredictAt, type ProcessSpec } from '@dit/diffusion'
import {
  ddpm,
  inpainting,
  type NoiseSource,
  type PipelineSampler,
  type SamplerStep,
  startFromPicture,
  startNoise,
} from '@dit/sampler'
import { affine, type Backend, dispose, reshape, tensor, type Tensor, toFloat32Array } from '@dit/tensor'
import { ddpmDiffusion } from './gaussian-steps.js'
import { type Guidance, guidedPredictor, type LoadedNetwork } from './guided-predictor.js'
import type { SamplingPlan } from './plan-sampling.js'
import { recordedPart } from './recorded-noise.js'
import { SAMPLE_DEFAULTS, type SampleOptions } from './sample-options.js'
import type { SamplerName } from './sampler-names.js'
import type { Solving } from './solving.js'

/** A picture to start from, in the network's units. */
export interface StartPicture {
  /** `[C, H, W]` */
  readonly x0: Float32Array
  /** 1 where the picture is kept and 0 where it is painted anew, `[H, W]`; null keeps nothing. */
  readonly kept: Float32Array | null
}

/** All that sampling needs, checked and loaded. */
export interface SamplingRun {
  readonly loaded: LoadedNetwork
  readonly backend: Backend
  readonly plan: SamplingPlan
  readonly options: SampleOptions
  readonly guide?: Guidance['guide']
  /** That of a diffusers folder, where the plan names no other sampler. */
  readonly scheduler: PipelineSampler | null
  readonly start: StartPicture | null
}

/** Where sampling stands. */
export interface SampleProgress {
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
  readonly estimates: () => Promise<Float32Array>
}

/**
 * Samples batch by batch. Sample i has noise of its own, a function of the seed and i.
 *
 * @returns yields after every step, whose state may be read until the next is asked for; at the end all samples, `[N, C, H, W]`, as the
 *   network makes them
 * @throws the signal's reason when stopped
 */
export async function* sampleBatches(run: SamplingRun): AsyncGenerator<SampleProgress, Float32Array, void> {
  const { plan, loaded } = run
  const { labels, batchSize } = plan
  const size = loaded.network.inputShape.reduce((a, b) => a * b)
  const samples = new Float32Array(labels.length * size)
  const numBatches = Math.ceil(labels.length / batchSize)
  let done = 0
  for (let first = 0; first < labels.length; first += batchSize) {
    const count = Math.min(batchSize, labels.length - first)
    for await (const { index, numSteps, xt, x0 } of stepsOfBatch(run, first, count)) {
      const isLast = index === numSteps - 1
      if (isLast) samples.set(await toFloat32Array(xt), first * size)
      const estimates = async () => {
        const now = Float32Array.from(samples)
        if (!isLast) now.set(await toFloat32Array(x0), first * size)
        return now
      }
      const finished = first + (isLast ? count : 0)
      const total = numBatches * numSteps
      yield { done: ++done, total, finished, index, first, state: () => toFloat32Array(xt), estimates }
    }
  }
  return samples
}

/**
 * The steps of one batch, the samples from `first` on. It depends on no other batch. Tensors live until the next step is asked for.
 */
export async function* stepsOfBatch(
  run: SamplingRun,
  first: number,
  count: number,
): AsyncGenerator<SamplerStep, void, void> {
  const { plan, loaded, backend, options } = run
  const shape = loaded.network.inputShape
  const batchShape = [count, ...shape]
  const sampleSize = shape.reduce((a, b) => a * b)
  const xT =
    options.noise === undefined
      ? startNoise(batchShape, { seed: plan.seed, firstSample: first, backend })
      : tensor(recordedPart(options.noise, { first, count, sampleSize }), batchShape, { backend })
  const labels = plan.labels.slice(first, first + count)
  const predict = guidedPredictor(loaded, labels, { ...plan.guidance, guide: run.guide }, plan.process)
  try {
    for await (const step of await stepsOf(run, predict, xT, first)) {
      try {
        yield step
      } finally {
        if (step.index === step.numSteps - 1) dispose([step.xt, step.x0])
      }
    }
  } finally {
    xT.dispose()
  }
}

/** The sampling loop over a batch that begins with sample `first`. */
async function stepsOf(
  run: SamplingRun,
  predict: PredictAt,
  xT: Tensor,
  first: number,
): Promise<AsyncGenerator<SamplerStep, void, void>> {
  const { plan, options, scheduler, loaded } = run
  const { sampler, process, steps, seed, clip } = plan
  const { spacing, eta = SAMPLE_DEFAULTS.eta, signal } = options
  if (sampler === null || process === null) {
    return scheduler!(predict, xT, { numSteps: steps, eta, signal, seed, firstSample: first })
  }
  const seeded = { seed, firstSample: first, signal }
  const noise = { ...noiseSource(options, seed, first), signal }
  if (sampler === 'ddpm' && !isFlow(process)) {
    return ddpm(ddpmDiffusion(process, { steps, spacing }), predict, xT, { ...noise, clipDenoised: clip })
  }
  const solving = await solvingOf(process, sampler)
  return run.start === null ? fromNoise(solving, xT) : fromPicture(solving, xT, run, run.start, first)

  /** Loads the solvers of the family: with all of them a page would download more than it uses. */
  async function solvingOf(process: ProcessSpec, sampler: SamplerName): Promise<Solving> {
    if (process.distilled !== undefined) {
      const { studentSolving } = await import('./student.js')
      return studentSolving(process, predict, { outputsPerChannel: loaded.network.outputsPerChannel, clip, signal })
    }
    if (!isFlow(process)) {
      const { gaussianSolving } = await import('./gaussian-solving.js')
      return gaussianSolving(process, sampler, predict, { steps, spacing, eta, clip, noise })
    }
    const { flowSolving } = await import('./flow-steps.js')
    const { outputsPerChannel } = loaded.network
    return flowSolving(process, sampler, predict, { ...options, outputsPerChannel, steps, clip, noise, seeded })
  }
}

/** Where the noise of the steps comes from. */
function noiseSource({ draws }: SampleOptions, seed: number, first: number): NoiseSource {
  if (draws === undefined) return { seed, firstSample: first }
  return {
    noise: (draw, shape, backend) => {
      const sampleSize = shape.slice(1).reduce((product, size) => product * size, 1)
      return tensor(recordedPart(draws, { draw, first, count: shape[0], sampleSize }), shape, { backend })
    },
  }
}

/** Solves from noise times the scale of the path. */
async function* fromNoise(
  { path, denoise, scale, solve }: Solving,
  xT: Tensor,
): AsyncGenerator<SamplerStep, void, void> {
  const start = scale === 1 ? reshape(xT, xT.shape) : affine(xT, scale)
  try {
    yield* solve(path, denoise, start)
  } finally {
    start.dispose()
  }
}

/** Solves the rest of the path from a noised picture, parts of which may be kept. */
async function* fromPicture(
  { path, denoise, solve }: Solving,
  noise: Tensor,
  { plan, backend }: SamplingRun,
  { x0, kept }: StartPicture,
  first: number,
): AsyncGenerator<SamplerStep, void, void> {
  const [count, channels, height, width] = noise.shape
  const held: Tensor[] = []
  const keeping = (inner: Denoise, known: Tensor, part: Float32Array): Denoise => {
    const mask = tensor(part, [1, 1, height, width], { backend })
    held.push(mask)
    return inpainting(inner, { x0: known, mask, seed: plan.seed, firstSample: first })
  }
  try {
    const repeated = new Float32Array(noise.size)
    for (let i = 0; i < count; i++) repeated.set(x0, i * x0.length)
    const picture = tensor(repeated, [count, channels, height, width], { backend })
    held.push(picture)
    const { path: rest, xT } = startFromPicture(path, picture, { strength: plan.strength!, noise })
    held.push(xT)
    const denoiseRest = kept === null ? denoise : keeping(denoise, picture, kept)
    yield* solve(rest, denoiseRest, xT)
  } finally {
    dispose(held)
  }
}
