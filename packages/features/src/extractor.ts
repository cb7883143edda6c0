import type { Features } from '@dit/metrics'

/** Pictures of one size, as bytes. */
export interface Pictures {
  readonly count: number
  readonly height: number
  readonly width: number
  /** RGB, `[count, height, width, 3]`. */
  readonly pixels: Uint8Array
}

/** A place in a network where features are taken. */
export interface FeatureLayer {
  readonly name: string
  /** Numbers of a picture. */
  readonly width: number
}

/** Turns pictures into features. */
export interface FeatureExtractor {
  /** As results print it, such as `inception-v3-fid`. */
  readonly name: string
  /**
   * What decides the features beside the pictures: SHA-256 of the weights as hex, or the version of a definition without weights. Features of
   * two fingerprints must not be compared.
   */
  readonly fingerprint: string
  readonly layers: readonly FeatureLayer[]
  /** The layer that distances are taken on, where nobody asks for another. */
  readonly defaultLayer: string
  /** The layer that holds the logits of a classifier; null where it is none, and there is no Inception Score. */
  readonly logits: string | null
  /**
   * Features of pictures of any one size: the extractor resizes as its network was trained.
   *
   * @param layers names among `layers`; the default layer alone by default
   * @returns per layer `[count, width]`, float32, finite
   * @throws RangeError for an unknown layer, or pictures that it cannot read
   */
  extract(pictures: Pictures, layers?: readonly string[]): Promise<Record<string, Features>>
  /** Gives back what it holds on the engine. */
  dispose(): void
}
