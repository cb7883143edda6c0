import { type StoredArray, writeSafetensors } from '@dit/checkpoint'
import { descriptionMetadata, type ParameterSource } from '@dit/model'
import { type Backend, currentBackend, dispose, type Params } from '@dit/tensor'
import { shortName } from './classes/class-names.js'
import { type ModelDescription, type OpenModel, requireDiT } from './open-model.js'
import { isSource, paramsTensors } from './open/params-tensors.js'
import { OpenError, OptionError } from './option-error.js'
import type { OpenAutoencoder } from './pictures/autoencoder.js'
import { keepPainted } from './pictures/keep-painted.js'
import { type Picture, rgbaOf } from './pictures/picture.js'
import { isPixelModel, sampleShape } from './pictures/pixel-model.js'
import { type Pictures, toPictures } from './pictures/pixels.js'
import { startPicture } from './pictures/start-picture.js'
import { type BatchesOptions, drawBatches, type PictureBatch } from './sampling/draw-batches.js'
import { planSampling, type SamplingPlan } from './sampling/plan-sampling.js'
import { sampleBatches, type SampleProgress, type SamplingRun } from './sampling/sample-batches.js'
import type { SampleOptions } from './sampling/sample-options.js'

/** Where sampling stands, and what can be seen of it. */
export interface SampleStep extends SampleProgress {
  /** Pictures as they are now: estimates of those in work. For a model of latents each call decodes all of them. */
  pictures(): Promise<Picture[]>
}

/** Options of `decode`. */
export interface DecodeOptions extends Pick<SampleOptions, 'image' | 'mask' | 'tile'> {
  /** Called after each picture of an autoencoder. */
  readonly onPicture?: (done: number) => void | Promise<void>
}

/** A model on an engine, ready to make pictures. */
export interface Pipeline {
  /** What it is: network, process, class names, range of pixels, scaling of latents. */
  readonly description: ModelDescription
  /** Names of the classes, in the order of the labels: its own, ImageNet's, or numbers. */
  readonly classNames: readonly string[]
  /** What was assumed, since nothing in the files tells. */
  readonly assumptions: readonly string[]
  /** As it was found. */
  readonly model: OpenModel
  readonly params: Params | ParameterSource
  readonly backend: Backend
  /**
   * Samples, step by step: `for await (const step of dit.sample({ classes: ['disc'] })) show(await step.pictures())`.
   *
   * @returns yields after every step; in the end all samples as the network makes them, `[N, C, H, W]`
   * @throws OptionError naming the first option that cannot be; the signal's reason when stopped
   */
  sample(options?: SampleOptions): AsyncGenerator<SampleStep, Float32Array, void>
  /**
   * Samples batch by batch, for more pictures than fit into memory: `for await (const batch of dit.batches({ total: 50_000 })) ...`. A batch
   * depends on no other, so that those that are there already can be skipped.
   *
   * @throws OptionError naming the first option that cannot be; the signal's reason when stopped; whatever `onStep` throws
   */
  batches(options?: SampleOptions, how?: BatchesOptions): AsyncGenerator<PictureBatch, void, void>
  /**
   * Samples pictures. With `image` they begin from that picture, with `mask` a part of it is painted anew and the rest is kept byte for
   * byte.
   *
   * @throws OptionError naming the first option that cannot be; OpenError where latents lack an autoencoder; the signal's reason when stopped
   */
  pictures(options?: SampleOptions): Promise<Picture[]>
  /**
   * Samples as the network makes them, `[N, C, H, W]`, as pictures.
   *
   * @param options `image` and `mask` as they were sampled with: what the mask keeps is then the picture's own; and a callback for progress
   * @throws OpenError where they are latents and there is no autoencoder
   */
  decode(samples: Float32Array, options?: DecodeOptions): Promise<Pictures>
  /** The model as a safetensors file, with its description: another pipeline makes the same pictures from that file alone. */
  save(): Promise<Uint8Array<ArrayBuffer>>
  /** Gives back what it holds on the engine. Parameters that the caller brought stay. */
  dispose(): void
}

/** Options of `createPipeline`. */
export interface PipelineOptions {
  /** The engine; the current backend by default. */
  readonly backend?: Backend
  /** Hold the weights in half precision: half the memory. */
  readonly half?: 'f16' | 'bf16'
}

/**
 * Brings an opened model to an engine. The model is closed in the end, also where this fails.
 *
 * @throws as the readers do; RangeError for weights that do not fit `half`
 */
export async function createPipeline(
  model: OpenModel,
  { backend: given, half }: PipelineOptions = {},
): Promise<Pipeline> {
  const backend = engineOf(given)
  if (half !== undefined && half !== 'f16' && half !== 'bf16') {
    throw new OptionError('half', 'it must be f16 or bf16', String(half))
  }
  const { description, autoencoder: found, network } = model
  if (half !== undefined && description.network === null) {
    throw new OptionError('half', 'a network of your own reads parameters in float32 only', half)
  }
  const shape = sampleShape(network)
  // Loaded only where there is one: a page of a model of pixels does without.
  const autoencoding = found === null ? null : await import('./pictures/autoencoder.js')
  if (found !== null) autoencoding!.checkAutoencoder(found, shape[0], model.name)
  const params = await model.load(backend, half)
  await model.close()
  let autoencoder: Promise<OpenAutoencoder> | null = null
  let isDisposed = false
  const openAutoencoder = async (): Promise<OpenAutoencoder | null> => {
    if (found === null) return null
    autoencoder ??= autoencoding!.loadAutoencoder(found, description.latents, backend)
    return autoencoder
  }
  const requireAlive = () => {
    if (isDisposed) throw new Error('the pipeline was used after it was disposed of')
  }

  async function runOf(plan: SamplingPlan, options: SampleOptions): Promise<SamplingRun> {
    const { guide } = options
    const start = await startPicture(
      model,
      options,
      await (options.image === undefined ? null : openAutoencoder()),
      backend,
    )
    const scheduler = plan.sampler === null ? model.scheduler!.sampler() : null
    const weak = guide === undefined ? undefined : { network: guide.model.network, params: guide.params }
    return { loaded: { network, params }, backend, plan, options, guide: weak, scheduler, start }
  }

  async function* run(plan: SamplingPlan, options: SampleOptions): AsyncGenerator<SampleStep, Float32Array, void> {
    const steps = sampleBatches(await runOf(plan, options))
    try {
      for (;;) {
        const { done, value } = await steps.next()
        if (done === true) return value
        const pictures = async () => asPictures(await decode(await value.estimates(), options), plan.labels)
        yield { ...value, pictures }
      }
    } finally {
      // A caller may leave the loop, or throw in it: what the step holds is freed.
      await steps.return(new Float32Array())
    }
  }

  async function* batches(
    options: SampleOptions = {},
    how: BatchesOptions = {},
  ): AsyncGenerator<PictureBatch, void, void> {
    requireAlive()
    const plan = await planSampling(model, options)
    for await (const batch of drawBatches(await runOf(plan, options), how)) {
      const pictures = async () => {
        requireFinite(batch.samples)
        return asPictures(await decode(batch.samples, options), batch.labels)
      }
      yield { ...batch, pictures }
    }
  }

  async function* sample(options: SampleOptions = {}): AsyncGenerator<SampleStep, Float32Array, void> {
    requireAlive()
    const plan = await planSampling(model, options)
    return yield* run(plan, options)
  }

  async function decode(samples: Float32Array, options: DecodeOptions = {}): Promise<Pictures> {
    return keepPainted(await decodeAll(samples, options), options)
  }

  async function decodeAll(samples: Float32Array, { onPicture, tile }: DecodeOptions): Promise<Pictures> {
    requireAlive()
    const opened = await openAutoencoder()
    if (opened !== null) return autoencoding!.decodePictures(opened, backend, samples, shape, { tile, onPicture })
    if (isPixelModel(network)) return toPictures(samples, shape, description.pixelRange ?? [-1, 1])
    throw new OpenError(
      model.name,
      `it makes latents of ${shape[0]} channels, not pictures, and there is no autoencoder beside it; give one with \`autoencoder\``,
    )
  }

  function asPictures(made: Pictures, labels: Int32Array): Picture[] {
    const { width, height } = made
    return Array.from(labels, (label, i) => ({
      width,
      height,
      data: rgbaOf(made, i),
      label,
      className: shortName(model, label),
    }))
  }

  return {
    description,
    classNames: model.names,
    assumptions: model.assumptions,
    model,
    params,
    backend,
    sample,
    batches,
    decode,
    async pictures(options = {}) {
      requireAlive()
      const plan = await planSampling(model, options)
      if (found === null && !isPixelModel(network)) await decode(new Float32Array())
      const samples = await lastSamples(run(plan, options))
      requireFinite(samples)
      return asPictures(await decode(samples, options), plan.labels)
    },
    async save() {
      requireAlive()
      const described = requireDiT(model, '`save`').description
      const tensors = new Map<string, StoredArray>()
      const stored = paramsTensors(model.name, params)
      for (const name of stored.entries.keys()) tensors.set(name, await stored.tensor(name))
      return writeSafetensors(tensors, descriptionMetadata(described))
    },
    dispose() {
      if (isDisposed) return
      isDisposed = true
      if (!model.isLent) disposeParams(params)
      void autoencoder?.then(({ params: own }) => dispose(own)).catch(() => {})
    },
  }
}

/**
 * Runs `sample` to its end.
 *
 * @param onStep called, and waited for, after every step
 * @returns all samples, `[N, C, H, W]`, as the network makes them
 *
 * @example
 * const samples = await lastSamples(dit.sample({ classes: 'all' }), ({ done, total }) => show(done / total))
 */
export async function lastSamples<Step>(
  steps: AsyncGenerator<Step, Float32Array, void>,
  onStep: (step: Step) => void | Promise<void> = () => {},
): Promise<Float32Array> {
  for (;;) {
    const { done, value } = await steps.next()
    if (done === true) return value
    try {
      await onStep(value)
    } catch (error) {
      await steps.return(new Float32Array())
      throw error
    }
  }
}

/** The engine that was given, or the current one. */
function engineOf(given: Backend | undefined): Backend {
  if (given === undefined) {
    try {
      return currentBackend()
    } catch (cause) {
      throw new OptionError(
        'backend',
        'it is needed: an engine, such as `await cpu()` of @dit/backend-cpu',
        undefined,
        { cause },
      )
    }
  }
  if (given instanceof Promise) throw new OptionError('backend', 'it must be an engine, not a promise of one: await it')
  return given
}

function disposeParams(params: Params | ParameterSource): void {
  if (isSource(params)) params.dispose()
  else dispose(params)
}

function requireFinite(samples: Float32Array): void {
  if (samples.every(Number.isFinite)) return
  throw new RangeError('the samples are not finite numbers: the weights are not finite, or sampling diverged')
}
