import type { Backend, FlatLayout } from '@dit/tensor'

/** A stretch of a flat segment that travels between workers as one: whole tensors, neighbours in memory. */
export interface Bucket {
  readonly segment: number
  /** First element within the segment. */
  readonly offset: number
  /** Elements, padding included. */
  readonly size: number
  /** Tensors whose gradients it holds. */
  readonly names: readonly string[]
}

/** A worker's share of a bucket; the last shares may be short or empty. */
export interface BucketPart {
  /** First element within the bucket. */
  readonly start: number
  readonly length: number
}

/** Elements to which parts are rounded, so that each begins where vector units and bindings of GPUs like it. */
const PART_ALIGNMENT = 64

/**
 * Cuts a layout into buckets of about `bucketBytes`, last tensors first: the backward pass completes gradients in that
 * order, so that the first bucket can travel while the rest is computed. A tensor that is larger is a bucket of its own.
 */
export function bucketLayout(layout: FlatLayout, backend: Backend, bucketBytes: number): Bucket[] {
  const most = bucketBytes / (backend.float === 'f64' ? 8 : 4)
  const buckets: Bucket[] = []
  let names: string[] = []
  let [segment, end] = [-1, 0]
  let start = 0
  const close = () => {
    if (names.length > 0) buckets.push({ segment, offset: start, size: end - start, names })
    names = []
  }
  for (const entry of layout.entries.toReversed()) {
    const index = layout.entries.indexOf(entry)
    const next = layout.entries[index + 1]
    const entryEnd = next?.segment === entry.segment ? next.offset : layout.segmentSizes[entry.segment]
    const isNew = names.length === 0 || entry.segment !== segment || end - entry.offset > most
    if (isNew) {
      close()
      segment = entry.segment
      end = entryEnd
    }
    start = entry.offset
    names = [entry.name, ...names]
  }
  close()
  return buckets
}

/** Length of a part: that of every worker, the last ones counting padding. */
export function partLength({ size }: Bucket, workers: number): number {
  return Math.ceil(size / workers / PART_ALIGNMENT) * PART_ALIGNMENT
}

/** What a worker has of a bucket. */
export function partOf(bucket: Bucket, rank: number, workers: number): BucketPart {
  const length = partLength(bucket, workers)
  const start = Math.min(bucket.size, rank * length)
  return { start, length: Math.min(bucket.size, start + length) - start }
}
