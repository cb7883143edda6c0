import type { Pictures } from '@dit/features'
import type { FeatureStore } from './feature-store.js'
import type { Part, PictureSet } from './picture-set.js'
import { textDigest } from './digest.js'

/** A picture as a pipeline gives it: RGBA or RGB, row by row. */
export interface DrawnPicture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array | Uint8ClampedArray
}

/** A batch of a pipeline. */
export interface DrawnBatch {
  readonly number: number
  readonly pictures: () => Promise<readonly DrawnPicture[]>
}

/** Options that an evaluation gives to a pipeline; others go through as they are. */
export interface SamplingRequest {
  readonly labels: Int32Array
  readonly seed: number
  readonly batchSize: number
  readonly signal?: AbortSignal
}

/** What can draw pictures batch by batch: a `Pipeline` of `@dit/pipeline` is one. */
export interface EvaluatedPipeline {
  readonly classNames: readonly string[]
  batches(options: SamplingRequest, how: { readonly skip: (number: number) => boolean }): AsyncIterable<DrawnBatch>
}

/** What is drawn. */
export interface Drawing {
  readonly name: string
  readonly request: SamplingRequest
  /** Sampling options beside the request. */
  readonly options: Readonly<Record<string, unknown>>
  readonly store: FeatureStore
  /** Of all that decides the pictures beside their batch. */
  readonly fingerprint: string
  /** Size that the pictures must have: that of the real ones; null where any will do. */
  readonly size: readonly [height: number, width: number] | null
}

/**
 * Pictures of a pipeline as a set: a part is a batch, which is drawn when it is first read.
 *
 * @throws RangeError for pictures of another size than the real ones, also while they are read
 */
export async function drawnSet(
  pipeline: EvaluatedPipeline,
  { name, request, options, store, fingerprint, size: expected }: Drawing,
): Promise<PictureSet> {
  const { labels, batchSize } = request
  const count = labels.length
  const keyOf = async (number: number) => `pictures-${await textDigest(JSON.stringify([fingerprint, number]))}`

  async function kept(number: number): Promise<Pictures | null> {
    const pixels = (await store.read(await keyOf(number)))?.pixels
    if (!(pixels?.data instanceof Uint8Array) || pixels.shape.length !== 4) return null
    const [n, height, width] = pixels.shape
    return n === Math.min(batchSize, count - number * batchSize)
      ? { count: n, height, width, pixels: pixels.data }
      : null
  }

  async function* readParts(numbers: readonly number[]): AsyncGenerator<Part, void, void> {
    const missing = new Set<number>()
    for (const number of numbers) {
      const pictures = await kept(number)
      if (pictures === null) missing.add(number)
      else yield { number, pictures }
    }
    if (missing.size === 0) return
    const all = { ...options, ...request }
    for await (const batch of pipeline.batches(all, { skip: (number) => !missing.has(number) })) {
      const pictures = rgbOf(name, await batch.pictures())
      const { count: n, height, width, pixels } = pictures
      if (expected !== null) requireSameSize(name, [height, width], expected)
      await store.write(await keyOf(batch.number), { pixels: { shape: [n, height, width, 3], data: pixels } })
      yield { number: batch.number, pictures }
    }
  }

  async function read(indices: ArrayLike<number>): Promise<Pictures> {
    const places = Array.from(indices)
    const numbers = [...new Set(places.map((place) => Math.floor(place / batchSize)))]
    const parts = new Map<number, Pictures>()
    for await (const { number, pictures } of readParts(numbers)) parts.set(number, pictures)
    const [height, width] = size
    const bytes = height * width * 3
    const pixels = new Uint8Array(places.length * bytes)
    places.forEach((place, i) => {
      const at = (place % batchSize) * bytes
      pixels.set(parts.get(Math.floor(place / batchSize))!.pixels.subarray(at, at + bytes), i * bytes)
    })
    return { count: places.length, height, width, pixels }
  }

  let size = expected ?? ([0, 0] as const)
  if (expected === null) {
    for await (const { pictures } of readParts([0])) size = [pictures.height, pictures.width]
  }
  return {
    name,
    kind: 'model',
    files: null,
    classNames: pipeline.classNames,
    labels,
    count,
    size,
    partSize: batchSize,
    readParts,
    read,
  }
}

/** @throws RangeError unless both sizes are the same */
export function requireSameSize(
  name: string,
  [height, width]: readonly [number, number],
  [wantedHeight, wantedWidth]: readonly [number, number],
): void {
  if (height === wantedHeight && width === wantedWidth) return
  throw new RangeError(
    `evaluate: pictures of ${name} are ${height} x ${width}, and the real ones ${wantedHeight} x ${wantedWidth}; ` +
      'features of two sizes must not be mixed: bring both to one size first',
  )
}

function rgbOf(name: string, pictures: readonly DrawnPicture[]): Pictures {
  const { width, height } = pictures[0]
  const pixels = new Uint8Array(pictures.length * width * height * 3)
  pictures.forEach(({ data }, n) => {
    const channels = data.length / (width * height)
    if (channels !== 3 && channels !== 4)
      throw new RangeError(`evaluate: pictures of ${name} must be RGB or RGBA (they have ${channels} bytes a pixel)`)
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) pixels[(n * width * height + i) * 3 + c] = data[i * channels + c]
    }
  })
  return { count: pictures.length, height, width, pixels }
}
