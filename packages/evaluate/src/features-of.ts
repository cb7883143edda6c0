import type { FeatureExtractor } from '@dit/features'
import type { Features } from '@dit/metrics'
import { extractSet } from './sets/extract-set.js'
import { type FeatureStore, memoryStore } from './sets/feature-store.js'
import { pictureSet, type PictureSource } from './sets/picture-set.js'

/** Options of `featuresOf`. */
export interface FeaturesOfOptions {
  readonly extractor: FeatureExtractor
  /** Default: the extractor's default layer. */
  readonly layers?: readonly string[]
  readonly store?: FeatureStore
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

/** Features of pictures by layer, those from a store that are there. */
export interface FeaturesOf {
  readonly features: Readonly<Record<string, Features>>
  readonly count: number
  readonly size: readonly [height: number, width: number]
}

/**
 * Features of all pictures of a set, such as for statistics of it.
 *
 * @throws RangeError for a layer that the extractor does not have, or features that are not finite
 */
export async function featuresOf(source: PictureSource, options: FeaturesOfOptions): Promise<FeaturesOf> {
  const { extractor, layers = [extractor.defaultLayer], store = memoryStore(), signal, onProgress } = options
  const set = await pictureSet(source, 'the pictures', {}, signal)
  const { features } = await extractSet(set, { extractor, layers, store, signal, onProgress })
  return { features, count: set.count, size: set.size }
}
