import type { TensorFile } from '@dit/checkpoint'
import type { ModelWeights, ReadLayoutOptions } from './model-weights.js'
import { readDiffusers } from './read-diffusers.js'
import { readUndescribed } from './read-undescribed.js'
import { readWeights } from './read-weights.js'

/**
 * Sees weights of a DiT under the official names:
 *
 * - state dicts of the official DiT, fast-DiT and SiT, also with `module.` before every name;
 * - those of REPA without its projectors, of LightningDiT and of JiT, with their blocks;
 * - diffusers' `DiTTransformer2DModel` (and `Transformer2DModel`, as published), with attention fused or not.
 *
 * Nothing is read but names and shapes; each tensor is read, and put together, when asked for.
 *
 *     const weights = readLayout(await openSafetensors(source))
 *     const params = await loadParams(weights)
 *     forward(weights.config, params, inputs)
 *
 * @throws LayoutError that lists what is missing, does not belong or has another shape
 * @throws RangeError where the names are no DiT's, a configuration is none, or the network needs what is not built: JiT's noise of another
 *   scale than 1
 */
export function readLayout(file: TensorFile, options: ReadLayoutOptions = {}): ModelWeights {
  return readWeights(file, options, { diffusers: readDiffusers, undescribed: readUndescribed })
}
