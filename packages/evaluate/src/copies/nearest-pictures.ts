import type { NearestRows } from '@dit/metrics'
import type { NearestPictures } from '../evaluation.js'
import { takePictures } from '../sets/check-pictures.js'
import type { PictureSet } from '../sets/picture-set.js'
import { isNear } from './memorisation.js'
import { type EncodePng, pngUrl } from './png-url.js'

/** Samples that are shown beside their neighbours: the nearest ones, and some that the others are like. */
const NEAREST = 12
const SPREAD = 12

/** What is shown. */
export interface NearestOptions {
  readonly generated: PictureSet
  readonly training: PictureSet
  readonly nearest: NearestRows
  /** Distances below it are suspect; null where it is not known. */
  readonly threshold: number | null
  readonly toPng: EncodePng
}

/** Samples beside their nearest training pictures: first those that are nearest to one, then some spread over all samples. */
export async function nearestPictures(options: NearestOptions): Promise<NearestPictures[]> {
  const { generated, training, nearest, threshold, toPng } = options
  const { k, indices, distances } = nearest
  const chosen = chooseSamples(nearest, generated.count)
  const samples = await generated.read(chosen)
  const shown: NearestPictures[] = []
  for (const [at, sample] of chosen.entries()) {
    const places = Array.from({ length: k }, (_, r) => indices[sample * k + r])
    const pictures = await training.read(places)
    const neighbours = await Promise.all(
      places.map(async (index, r) => ({
        index,
        distance: distances[sample * k + r],
        picture: await pngUrl(takePictures(pictures, [r]), toPng),
        file: training.files?.[index] ?? null,
      })),
    )
    const label = generated.labels?.[sample]
    shown.push({
      sample,
      picture: await pngUrl(takePictures(samples, [at]), toPng),
      className: label === undefined ? null : (generated.classNames[label] ?? null),
      neighbours,
      isSuspect: threshold !== null && isNear(distances[sample * k], threshold),
    })
  }
  return shown
}

/** The samples nearest to a training picture, the nearest first, then samples evenly spread over the rest. */
function chooseSamples({ k, distances }: NearestRows, count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i).toSorted(
    (a, b) => distances[a * k] - distances[b * k] || a - b,
  )
  const first = order.slice(0, NEAREST)
  const rest = order.slice(NEAREST).toSorted((a, b) => a - b)
  const few = Math.min(SPREAD, rest.length)
  return [...first, ...Array.from({ length: few }, (_, i) => rest[Math.floor((i * rest.length) / few)])]
}
