import type { FeatureExtractor } from '@dit/features'
import type { TitleContext } from './names.js'

/** The layer that sFID is taken on; null where an extractor has none. */
export function spatialLayer({ layers }: Pick<FeatureExtractor, 'layers'>): string | null {
  return layers.find(({ name }) => name === 'spatial')?.name ?? null
}

/** What titles may say of an extractor and a layer. */
export function titleContext({ name, fingerprint }: FeatureExtractor, layer: string): TitleContext {
  return {
    isFid: FID_WEIGHTS.has(fingerprint) && layer === FID_LAYER,
    isClip: /^clip\b/i.test(name),
  }
}

/** SHA-256 of the FID Inception as everybody has it, pt_inception-2015-12-05-6726825d.pth; under another preprocessing the fingerprint is another. */
const FID_WEIGHTS: ReadonlySet<string> = new Set(['6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2'])
const FID_LAYER = '2048'
