import type { WrittenShard } from '@dit/checkpoint/node'
import type { ModelSource } from '../open/open-model.js'
import { requireKnown } from '../known-options.js'
import { requireDiT } from '../open-model.js'
import { paramsTensors } from '../open/params-tensors.js'
import { createPipeline, type Pipeline as PagePipeline, type PipelineOptions } from '../pipeline.js'
import { openModel, type OpenModelOptions } from './open-model.js'
import { storedHalf } from './stored-half.js'
import { findWeightsTarget, writeWeights, type WriteWeightsOptions } from './write-weights.js'

/** Options of `save`. */
export interface SaveOptions extends WriteWeightsOptions {
  /** Overwrite what is there. Default: false. */
  readonly force?: boolean
}

/** A model on an engine, ready to make pictures, that can also be saved on disk. */
export interface Pipeline extends Omit<PagePipeline, 'save'> {
  save(): ReturnType<PagePipeline['save']>
  /**
   * Saves the model with its description, told by the name: `.safetensors` (in shards with `shardBytes`), `.pt`, or a folder for diffusers.
   * Whatever it is, another pipeline makes the same pictures from it alone; of latents, with the same autoencoder, which is not saved.
   *
   * @returns the files of weights
   * @throws OptionError where something is there, or diffusers' class cannot be this model
   */
  save(path: string, options?: SaveOptions): Promise<WrittenShard[]>
}

/** Options of `openPipeline` of `@dit/pipeline/node`. */
export interface OpenPipelineOptions extends OpenModelOptions, PipelineOptions {}

/**
 * Opens a model and brings it to an engine, ready to make pictures.
 *
 * Weights that are stored in half precision are held so where the engine that is given reads them.
 *
 * @param source a path of a run, of weights or of a diffusers folder, or what `openPipeline` of `@dit/pipeline` takes
 * @throws OpenError that says what is missing and where it was looked for; OptionError for options that its files contradict; the errors of
 *   the readers for damaged or hostile files
 *
 * @example
 * const dit = await openPipeline('runs/shapes', { backend: await cpu() })
 * const [picture] = await dit.pictures({ classes: ['disc'], steps: 25, guidance: 2 })
 * await writeFile('disc.png', await toPng(picture))
 */
export async function openPipeline(
  source: ModelSource,
  { backend, half, ...options }: OpenPipelineOptions = {},
): Promise<Pipeline> {
  const model = await openModel(source, options)
  try {
    const held = half ?? (backend === undefined ? undefined : storedHalf(model, backend))
    return withSave(await createPipeline(model, { backend, half: held }))
  } catch (error) {
    await model.close()
    throw error
  }
}

function withSave(pipeline: PagePipeline): Pipeline {
  let isDisposed = false
  function save(): ReturnType<PagePipeline['save']>
  function save(path: string, options?: SaveOptions): Promise<WrittenShard[]>
  async function save(path?: string, { force = false, ...options }: SaveOptions = {}) {
    if (path === undefined) return pipeline.save()
    if (isDisposed) throw new Error('the pipeline was used after it was disposed of')
    requireKnown('save', options, ['dtype', 'shardBytes', 'onTensor'])
    const target = await findWeightsTarget(path, force)
    const { model, params } = pipeline
    const { description } = requireDiT(model, '`save`')
    return writeWeights(target, paramsTensors(model.name, params), description, options)
  }
  const dispose = () => {
    isDisposed = true
    pipeline.dispose()
  }
  return { ...pipeline, save, dispose }
}
