import { openModel, type ModelSource, type OpenModelOptions } from './open/open-model.js'
import { createPipeline, type Pipeline, type PipelineOptions } from './pipeline.js'

/** Options of `openPipeline`. */
export interface OpenPipelineOptions extends OpenModelOptions, PipelineOptions {}

/**
 * Opens a model and brings it to an engine, ready to make pictures.
 *
 * @param source an address of weights or of a diffusers folder, `hf:owner/name[@revision]`, the bytes of a file or a `File`, opened tensors,
 *   or a network in memory; in Node also a path (`@dit/pipeline/node`)
 * @throws OpenError that says what is missing and where it was looked for; OptionError for options that its files contradict; the errors of
 *   the readers for damaged or hostile files
 *
 * @example
 * const dit = await openPipeline('model.safetensors', { backend: await cpu() })
 * const [picture] = await dit.pictures({ classes: ['disc'], seed: 1 })
 * context.putImageData(toImageData(picture), 0, 0)
 * dit.dispose()
 */
export async function openPipeline(
  source: ModelSource,
  { backend, half, ...options }: OpenPipelineOptions = {},
): Promise<Pipeline> {
  const model = await openModel(source, options)
  try {
    return await createPipeline(model, { backend, half })
  } catch (error) {
    await model.close()
    throw error
  }
}
