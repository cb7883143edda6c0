import type { FeatureExtractor, FeatureLayer } from './extractor.js'
import { checkPictures, checkPreprocessing, networkInputUnchecked, type Preprocessing } from './preprocess.js'

export interface BatchedExtractorOptions {
  readonly name: string
  readonly fingerprint: string
  readonly layers: readonly FeatureLayer[]
  readonly defaultLayer: string
  readonly logits: string | null
  readonly preprocessing: Preprocessing
  /** Pictures at a time: what bounds the memory. */
  readonly batchSize: number
  /**
   * Features of one batch.
   *
   * @param input `[count, 3, height, width]`
   * @returns `[count, width]` for each of the layers
   */
  readonly run: (input: Float32Array, count: number, layers: readonly string[]) => Promise<Record<string, Float32Array>>
  readonly dispose: () => void
}

/** A feature extractor that takes pictures in batches. The caller has checked its options. */
export function batchedExtractor({
  name,
  fingerprint,
  layers: available,
  defaultLayer,
  logits,
  preprocessing,
  batchSize,
  run,
  dispose,
}: BatchedExtractorOptions): FeatureExtractor {
  let isDisposed = false
  return {
    name,
    fingerprint,
    layers: available,
    defaultLayer,
    logits,
    async extract(pictures, layers = [defaultLayer]) {
      if (isDisposed) throw new TypeError(`${name}: the extractor is disposed of`)
      checkPictures(name, pictures)
      const wanted = [...new Set(layers)].map((layer) => layerOf(name, available, layer))
      const { count } = pictures
      const features = Object.fromEntries(
        wanted.map((layer) => [
          layer.name,
          { shape: [count, layer.width], data: new Float32Array(count * layer.width) },
        ]),
      )
      const names = wanted.map((layer) => layer.name)
      if (names.length === 0) return features
      for (let start = 0; start < count; start += batchSize) {
        const end = Math.min(count, start + batchSize)
        const values = await run(networkInputUnchecked(pictures, preprocessing, start, end), end - start, names)
        for (const layer of wanted) {
          checkFinite(name, layer, values[layer.name], start)
          features[layer.name].data.set(values[layer.name], start * layer.width)
        }
      }
      return features
    },
    dispose() {
      if (isDisposed) return
      isDisposed = true
      dispose()
    },
  }
}

/** @throws RangeError for a batch size below 1, or a preprocessing that makes no sense */
export function checkBatching(who: string, preprocessing: Preprocessing, batchSize: number): void {
  checkPreprocessing(who, preprocessing)
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`${who}: batchSize must be an integer of 1 or more (got ${batchSize})`)
  }
}

function layerOf(who: string, layers: readonly FeatureLayer[], name: string): FeatureLayer {
  const found = layers.find((layer) => layer.name === name)
  if (found === undefined) {
    throw new RangeError(
      `${who}: there is no layer ${name}; layers are ${layers.map((layer) => layer.name).join(', ')}`,
    )
  }
  return found
}

function checkFinite(who: string, { name, width }: FeatureLayer, values: Float32Array, start: number): void {
  const wrong = values.findIndex((value) => !Number.isFinite(value))
  if (wrong < 0) return
  const picture = start + Math.floor(wrong / width)
  throw new RangeError(`${who}: features must be finite; ${values[wrong]} in layer ${name} of picture ${picture}`)
}
