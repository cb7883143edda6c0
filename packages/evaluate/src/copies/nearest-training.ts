import { type Features, type NearestRows, nearestRows, type Products } from '@dit/metrics'

/** Rows of pictures in the space where copies are looked for. */
export interface CopyRows {
  readonly rows: Features
  /** Of the mirror images; null where they do not count. */
  readonly mirrored: Features | null
}

/** The nearest training pictures of each picture, where a mirror image counts as the picture itself. */
export function nearestTraining(queries: CopyRows, training: Features, k: number, products: Products): NearestRows {
  const plain = nearestRows(queries.rows, training, { k, products })
  if (queries.mirrored === null) return plain
  const mirror = nearestRows(queries.mirrored, training, { k, products })
  const count = queries.rows.shape[0]
  const [indices, distances] = [new Int32Array(count * k), new Float64Array(count * k)]
  for (let i = 0; i < count; i++) {
    const own = [plain, mirror].flatMap((found) =>
      Array.from({ length: k }, (_, r) => ({
        index: found.indices[i * k + r],
        distance: found.distances[i * k + r],
      })),
    )
    const sorted = own.toSorted((one, other) => one.distance - other.distance || one.index - other.index)
    // A picture and its mirror image may both be near: it is listed once.
    const best = sorted.filter(({ index }, at) => sorted.findIndex((one) => one.index === index) === at)
    for (let r = 0; r < k; r++) {
      indices[i * k + r] = best[r].index
      distances[i * k + r] = best[r].distance
    }
  }
  return { k, indices, distances }
}
