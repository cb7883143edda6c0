import type { Communicator, Floats } from '@dit/collectives'
import {
  adamw,
  type AdamWStep,
  allocateFlat,
  type Backend,
  dispose,
  disposeFlat,
  type FlatLayout,
  type FlatParams,
  flatten,
  globalNorm,
  type Params,
  type Tensor,
  zeros,
} from '@dit/tensor'
import { type Bucket, type BucketPart, partLength, partOf } from './parallel/buckets.js'
import {
  directCollectives,
  onElements,
  readElements,
  segmentNumbers,
  type Staging,
  writeElements,
} from './parallel/staging.js'

/** Tensors of the optimizer, one for each trainable parameter. */
export const MOMENTS = ['exp_avg', 'exp_avg_sq', 'ema'] as const

export type Moment = (typeof MOMENTS)[number]

/** Moments of AdamW and the average of the trainable parameters: in full on every worker, or a part on each. */
export interface OptimizerState {
  /** Euclidean norm of the whole gradient. Every rank calls it. */
  gradientNorm(): Promise<number>
  /** AdamW and EMA, in place; afterwards every worker has all new parameters. Every rank calls it. */
  update(step: AdamWStep): Promise<void>
  /** Values of a moment of bucket `bucket`, tensors and padding as they lie in memory. Every rank calls it. */
  read(moment: Moment, bucket: number): Promise<Floats>
  /** Takes the values of one parameter's moment, or what this worker keeps of them. */
  load(moment: Moment, name: string, values: Floats): void
  /** Averages under their names, where this worker has them in full. */
  readonly ema: Params | null
  /** Bytes of moments and averages that this worker holds. */
  readonly bytes: number
  dispose(): void
}

export interface OptimizerOptions {
  readonly communicator: Communicator
  readonly backend: Backend
  readonly trainable: FlatParams
  readonly gradients: FlatParams
  readonly buckets: readonly Bucket[]
  readonly staging: Staging
}

/** Every worker holds all moments; the average begins as a copy of the parameters, moments as zeros. */
export function wholeOptimizer({ backend, trainable, gradients, buckets }: OptimizerOptions): OptimizerState {
  const { layout } = trainable
  const flats: Record<Moment, FlatParams> = {
    exp_avg: allocateFlat(layout, backend),
    exp_avg_sq: allocateFlat(layout, backend),
    ema: flatten(trainable.params, layout, backend),
  }
  return {
    gradientNorm: () => globalNorm(gradients.segments),
    async update(step) {
      trainable.segments.forEach((parameter, i) => {
        const [m, v, ema] = MOMENTS.map((moment) => flats[moment].segments[i])
        adamw({ parameter, gradient: gradients.segments[i], m, v, ema }, step)
      })
    },
    async read(moment, index) {
      const { segment, offset, size } = buckets[index]
      const values = floats(backend, size)
      await readElements(flats[moment].segments[segment], offset, values)
      return values
    },
    load: (moment, name, values) => backend.upload(flats[moment].params[name], values),
    ema: flats.ema.params,
    bytes: MOMENTS.length * bytesOf(trainable.segments),
    dispose: () => Object.values(flats).forEach(disposeFlat),
  }
}

/** Where this worker keeps its part of a bucket. */
interface Place extends BucketPart {
  readonly bucket: Bucket
  /** First element within the segment of parts. */
  readonly at: number
}

/**
 * Every worker holds the moments and averages of its parts of the buckets alone, updates these, and collects the other new
 * parameters from the workers that made them.
 *
 * Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models", stage 1 (P_os); a part of
 * every bucket instead of one stretch of all, so that sums arrive at their worker while the backward pass still runs.
 */
export function shardedOptimizer(options: OptimizerOptions): OptimizerState {
  const { communicator, backend, trainable, gradients, buckets, staging } = options
  const { rank, size } = communicator
  const sizes = trainable.segments.map(() => 0)
  const places: Place[] = buckets.map((bucket) => {
    const part = partOf(bucket, rank, size)
    const at = sizes[bucket.segment]
    sizes[bucket.segment] += part.length
    return { bucket, at, ...part }
  })
  const own = places.filter(({ length }) => length > 0)
  const parts = Object.fromEntries(
    MOMENTS.map((moment) => [moment, sizes.map((length) => (length > 0 ? zeros([length], { backend }) : null))]),
  ) as Record<Moment, (Tensor | null)[]>
  const onPart = <T>(segments: readonly (Tensor | null)[], { bucket, at, length }: Place, work: (x: Tensor) => T): T =>
    onElements(segments[bucket.segment]!, at, length, work)
  const onOwn = <T>({ segments }: FlatParams, { bucket, start, length }: Place, work: (x: Tensor) => T): T =>
    onElements(segments[bucket.segment], bucket.offset + start, length, work)
  for (const place of own) {
    onPart(parts.ema, place, (ema) => onOwn(trainable, place, (x) => backend.kernels.copy(x, ema)))
  }

  const direct = directCollectives(communicator, backend)
  /** Begins to join the workers' new parameters of a bucket, from the engine and into it. */
  const joinDirect = ({ bucket, start, length }: Place): { wait(): Promise<void> } => {
    const segment = trainable.segments[bucket.segment]
    const stride = partLength(bucket, size)
    return direct!.allGather(
      segmentNumbers(segment, bucket.offset + start, length, stride),
      segmentNumbers(segment, bucket.offset, bucket.size, stride * size),
    )
  }
  const joinStaged = async (place: Place): Promise<{ wait(): Promise<void> }> => {
    const { segment, offset, size: length } = place.bucket
    const { part, values, transfer } = await gather(place, trainable.segments[segment], offset + place.start)
    return {
      async wait() {
        await transfer.wait()
        writeElements(trainable.segments[segment], offset, values.subarray(0, length))
        staging.give(part)
        staging.give(values)
      },
    }
  }

  /** Begins to join every worker's part of a bucket. */
  const gather = async (place: Place, segment: Tensor | null, start: number) => {
    const length = partLength(place.bucket, size)
    const [part, values] = [staging.take(length), staging.take(length * size)]
    if (place.length > 0) await readElements(segment!, start, part.subarray(0, place.length))
    return { part, values, transfer: communicator.allGather(part, values) }
  }

  return {
    async gradientNorm() {
      let total = 0
      for (const place of own) total += (await onOwn(gradients, place, (x) => globalNorm([x]))) ** 2
      const totals = Float64Array.of(total)
      await communicator.allReduce(totals).wait()
      return Math.sqrt(totals[0])
    },
    async update(step) {
      const underWay: { wait(): Promise<void> }[] = []
      for (const place of places) {
        if (place.length > 0) {
          onOwn(trainable, place, (parameter) =>
            onOwn(gradients, place, (gradient) =>
              onPart(parts.exp_avg, place, (m) =>
                onPart(parts.exp_avg_sq, place, (v) =>
                  onPart(parts.ema, place, (ema) => adamw({ parameter, gradient, m, v, ema }, step)),
                ),
              ),
            ),
          )
        }
        underWay.push(direct === undefined ? await joinStaged(place) : joinDirect(place))
        communicator.poll()
        if (underWay.length > MOST_UNDER_WAY) await underWay.shift()!.wait()
      }
      for (const joining of underWay) await joining.wait()
    },
    async read(moment, index) {
      const place = places[index]
      const { part, values, transfer } = await gather(place, parts[moment][place.bucket.segment], place.at)
      await transfer.wait()
      const result = values.slice(0, place.bucket.size)
      staging.give(part)
      staging.give(values)
      return result
    },
    load(moment, name, values) {
      const entry = trainable.layout.entries.find((other) => other.name === name)!
      const place = places.find(({ bucket }) => bucket.names.includes(name))!
      const first = place.bucket.offset + place.start
      const from = Math.max(first, entry.offset)
      const to = Math.min(first + place.length, entry.offset + values.length)
      if (from >= to) return
      const target = parts[moment][place.bucket.segment]!
      writeElements(target, place.at + from - first, values.subarray(from - entry.offset, to - entry.offset))
    },
    ema: null,
    bytes: MOMENTS.reduce((sum, moment) => sum + bytesOf(parts[moment]), 0),
    dispose: () => dispose(Object.values(parts)),
  }
}

/** Buckets of new parameters that travel at once. */
const MOST_UNDER_WAY = 4

/** Copies each tensor's values out of those of its bucket. */
export function valueOf(layout: FlatLayout, bucket: Bucket, values: Floats, name: string): Floats {
  const { offset, shape } = layout.entries.find((entry) => entry.name === name)!
  const start = offset - bucket.offset
  return values.slice(start, start + shape.reduce((product, extent) => product * extent, 1))
}

function floats({ float }: Backend, length: number): Floats {
  return float === 'f64' ? new Float64Array(length) : new Float32Array(length)
}

function bytesOf(tensors: readonly (Tensor | null)[]): number {
  return tensors.reduce((sum, tensor) => sum + (tensor?.byteLength ?? 0), 0)
}
