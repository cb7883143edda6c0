import type { FeatureExtractor, Pictures } from '@dit/features'
import type { Features } from '@dit/metrics'
import { pictureDigests, textDigest } from './digest.js'
import type { FeatureStore } from './feature-store.js'
import { partNumbers, type PictureSet } from './picture-set.js'

/** A worker's part of the work: parts whose number leaves `rank` over `size`. */
export interface Share {
  readonly rank: number
  readonly size: number
}

/** How a set is read. */
export interface ExtractOptions {
  readonly extractor: FeatureExtractor
  /** Layers; none where pictures are only to be read. */
  readonly layers: readonly string[]
  readonly store: FeatureStore
  readonly share?: Share
  readonly signal?: AbortSignal
  /** Told of pictures that are done. */
  readonly onProgress?: (done: number, total: number) => void
  /** Shown the pictures of every part, in no order. */
  readonly onPictures?: (first: number, pictures: Pictures) => void
}

/** What was found of a set. */
export interface ExtractedSet {
  /** By layer, `[count, width]`; of parts that are another worker's, zeros. */
  readonly features: Readonly<Record<string, Features>>
  /** SHA-256 of each picture. */
  readonly digests: readonly string[]
}

/**
 * Reads every picture of a set once, and takes features of those that the store does not have. They are kept by the digest of the
 * pictures themselves, so that a picture that was changed is seen to be.
 *
 * @throws RangeError for features that are not finite numbers, or of another shape than the extractor says
 */
export async function extractSet(
  set: PictureSet,
  { extractor, layers, store, share = { rank: 0, size: 1 }, signal, onProgress, onPictures }: ExtractOptions,
): Promise<ExtractedSet> {
  const { count, partSize } = set
  const numbers = partNumbers(set).filter((number) => number % share.size === share.rank)
  const features: Record<string, Features> = {}
  for (const layer of layers) {
    const width = widthOf(extractor, layer)
    features[layer] = { shape: [count, width], data: new Float32Array(count * width) }
  }
  const digests: string[] = Array.from({ length: count }, () => '')
  let done = 0
  const total = numbers.reduce((sum, number) => sum + Math.min(partSize, count - number * partSize), 0)
  for await (const { number, pictures } of set.readParts(numbers)) {
    signal?.throwIfAborted()
    const first = number * partSize
    const own = await pictureDigests(pictures)
    own.forEach((digest, i) => (digests[first + i] = digest))
    onPictures?.(first, pictures)
    const found = await featuresOf(pictures, await textDigest(own.join()), { extractor, layers, store })
    for (const layer of layers) {
      const { shape, data } = features[layer]
      data.set(found[layer], first * shape[1])
    }
    done += pictures.count
    onProgress?.(done, total)
  }
  return { features, digests }
}

async function featuresOf(
  pictures: Pictures,
  digest: string,
  { extractor, layers, store }: Pick<ExtractOptions, 'extractor' | 'layers' | 'store'>,
): Promise<Record<string, Float32Array>> {
  const found: Record<string, Float32Array> = {}
  const keys = new Map<string, string>()
  for (const layer of layers) {
    const key = `features-${await textDigest(JSON.stringify([digest, extractor.fingerprint, layer]))}`
    keys.set(layer, key)
    const kept = (await store.read(key))?.features
    const isWhole =
      kept?.data instanceof Float32Array && kept.data.length === pictures.count * widthOf(extractor, layer)
    if (isWhole) found[layer] = kept.data as Float32Array
  }
  const missing = layers.filter((layer) => found[layer] === undefined)
  if (missing.length === 0) return found
  const taken = await extractor.extract(pictures, missing)
  for (const layer of missing) {
    const data = checked(taken[layer], extractor, layer, pictures.count)
    await store.write(keys.get(layer)!, { features: { shape: [pictures.count, widthOf(extractor, layer)], data } })
    found[layer] = data
  }
  return found
}

function checked(features: Features, { name, layers }: FeatureExtractor, layer: string, count: number): Float32Array {
  const { width } = layers.find((one) => one.name === layer)!
  const { shape, data } = features
  if (shape.length !== 2 || shape[0] !== count || shape[1] !== width) {
    throw new RangeError(
      `evaluate: layer ${layer} of ${name} must give features [${count}, ${width}] (got [${shape.join(', ')}])`,
    )
  }
  const wrong = data.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) {
    throw new RangeError(
      `evaluate: features of layer ${layer} of ${name} must be finite; picture ${Math.floor(wrong / width)} of a part gives ${data[wrong]}`,
    )
  }
  return data instanceof Float32Array ? data : Float32Array.from(data)
}

/**
 * Width of a layer.
 *
 * @throws RangeError for a layer that the extractor does not have
 */
export function widthOf({ name, layers }: Pick<FeatureExtractor, 'name' | 'layers'>, layer: string): number {
  const found = layers.find((one) => one.name === layer)
  if (found !== undefined) return found.width
  throw new RangeError(
    `evaluate: ${name} has no layer ${layer}; its layers are ${layers.map((one) => one.name).join(', ')}`,
  )
}
