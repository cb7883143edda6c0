import { writeNpz } from '@dit/checkpoint'
import type { SideFeatures } from '@dit/evaluate'
import type { FeatureExtractor } from '@dit/features'
import { admArrays, featureStatistics, type Products } from '@dit/metrics'
import { writeWhole } from '../run/write-whole.js'
import { MADE_WITH, type MadeWith } from './npz-pictures.js'

/** What statistics are of. */
export interface StatisticsOf {
  readonly side: Pick<SideFeatures, 'features' | 'spatial'>
  readonly extractor: FeatureExtractor
  readonly layer: string
  readonly size: readonly [number, number]
  readonly products: Products
}

/** Writes means and covariances as the ADM suite reads them, and beside them what they were made with. */
export async function writeStatistics(
  path: string,
  { side, extractor, layer, size, products }: StatisticsOf,
): Promise<void> {
  const { features, spatial } = side
  const { name, fingerprint } = extractor
  const madeWith: MadeWith = { name, fingerprint, layer, count: features.shape[0], size }
  const data = new TextEncoder().encode(JSON.stringify(madeWith))
  const arrays = admArrays({
    pooled: featureStatistics(features, { products }),
    spatial: spatial === null ? null : featureStatistics(spatial, { products }),
  })
  await writeWhole(path, await writeNpz({ ...arrays, [MADE_WITH]: { dtype: 'U8', shape: [data.length], data } }))
}
