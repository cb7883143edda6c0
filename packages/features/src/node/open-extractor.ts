import { openFileSource } from '@dit/checkpoint/node'
import type { FeatureExtractor } from '../extractor.js'
import { type WeightsOptions, weightsExtractor } from '../open-weights.js'

export type ExtractorOptions = WeightsOptions

/** Extractors that need no file, by name. */
const BUILT_IN: Readonly<Record<string, (options: ExtractorOptions) => Promise<FeatureExtractor>>> = {}

/**
 * Opens an extractor by the name of one that needs no file, or by the path of a file: the FID Inception or EfficientNet-Lite0 as torch or
 * safetensors files, or any network as ONNX. The content of the file tells which it is.
 *
 * ```js
 * const extractor = await openExtractor('pt_inception-2015-12-05-6726825d.pth', { backend: await cpu() })
 * ```
 *
 * @throws RangeError for a name that is neither, or a file of another network; else as `weightsExtractor`
 */
export async function openExtractor(nameOrPath: string, options: ExtractorOptions = {}): Promise<FeatureExtractor> {
  if (Object.hasOwn(BUILT_IN, nameOrPath)) return BUILT_IN[nameOrPath](options)
  const source = await openFileSource(nameOrPath).catch((cause: unknown) => {
    if ((cause as { code?: string }).code !== 'ENOENT') throw cause
    throw new RangeError(`openExtractor: there is no file ${nameOrPath}${namesText()}`, { cause })
  })
  try {
    return await weightsExtractor(source, options)
  } finally {
    await source.close()
  }
}

function namesText(): string {
  const names = Object.keys(BUILT_IN)
  return names.length === 0 ? '' : `; extractors without a file are ${names.join(', ')}`
}
