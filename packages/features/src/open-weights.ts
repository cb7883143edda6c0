import type { ByteSource } from '@dit/checkpoint'
import type { Backend } from '@dit/tensor'
import { efficientNetExtractor, type EfficientNetOptions, isEfficientNet } from './efficientnet/extractor.js'
import type { FeatureExtractor } from './extractor.js'
import { isInception } from './inception/check-names.js'
import { inceptionExtractor, type InceptionOptions } from './inception/extractor.js'
import { onnxExtractor, type OnnxOptions } from './onnx/extractor.js'
import { namedBytes, readWeights, wholeFile } from './read-weights.js'

export interface WeightsOptions {
  /** Where networks of ours run; the current backend by default. */
  readonly backend?: Backend
  /** Pictures at a time; each network has its own default. */
  readonly batchSize?: number
  /** Where the file is the Inception of FID. */
  readonly inception?: Omit<InceptionOptions, 'backend' | 'batchSize'>
  /** Where it is EfficientNet-Lite0. */
  readonly efficientNet?: Omit<EfficientNetOptions, 'backend' | 'batchSize'>
  /** Where it is an ONNX file, which does not say how pictures must be prepared; a function is called for such a file only. */
  readonly onnx?: OnnxOptions | (() => Promise<OnnxOptions>)
}

/**
 * The extractor that a file of weights belongs to, which its content tells: the FID Inception, EfficientNet-Lite0, or an ONNX file.
 *
 * @throws RangeError for a file of another network, or an ONNX file without `onnx`; else as the extractors themselves
 */
export async function weightsExtractor(
  source: Uint8Array | ByteSource,
  { backend, batchSize, inception, efficientNet, onnx }: WeightsOptions = {},
): Promise<FeatureExtractor> {
  const who = 'weightsExtractor'
  const ours = { ...(backend && { backend }), ...(batchSize !== undefined && { batchSize }) }
  const bytes = await wholeFile(source)
  const name = source instanceof Uint8Array ? undefined : source.name
  if (isOnnx(bytes)) {
    if (onnx === undefined) {
      throw new RangeError(
        `${who}: ${name ?? 'this'} is an ONNX file, which does not say how pictures must be prepared; pass onnx: { runtime, size, mean, std }`,
      )
    }
    const options = typeof onnx === 'function' ? await onnx() : onnx
    return onnxExtractor(bytes, { ...options, ...(batchSize !== undefined && { batchSize }) })
  }
  const held = namedBytes(bytes, name)
  const { file } = await readWeights(held)
  if (isInception(file)) return inceptionExtractor(held, { ...inception, ...ours })
  if (isEfficientNet(file)) return efficientNetExtractor(held, { ...efficientNet, ...ours })
  const some = [...file.entries.keys()].slice(0, 4).join(', ')
  throw new RangeError(
    `${who}: ${name ?? 'the file'} holds neither the FID Inception nor EfficientNet-Lite0 (its tensors: ${some}${file.entries.size > 4 ? ', ...' : ''}); export another network as ONNX`,
  )
}

/**
 * A protocol buffer whose first field is the version of the format. A safetensors file may begin with the same bytes, which are the length of
 * its header; a brace follows that length, the ninth byte.
 */
function isOnnx(bytes: Uint8Array): boolean {
  const isSafetensors = bytes[7] === 0 && bytes[8] === 0x7b
  return bytes[0] === 0x08 && bytes[1] < 0x20 && !isSafetensors
}
