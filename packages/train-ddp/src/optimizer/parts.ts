import { dispose, type FlatParams, globalNorm, type Tensor, zeros } from '@dit/tensor'
import { type Bucket, type BucketPart, partLength, partOf } from '../parallel/buckets.js'
import { directCollectives, onElements, readElements, segmentNumbers, writeElements } from '../parallel/staging.js'
import { bytesOf, type OptimizerOptions, type OptimizerState, updateStretch } from './optimizer-state.js'

/** Where this worker keeps its part of a bucket. */
interface Place extends BucketPart {
  readonly bucket: Bucket
  /** First element within the segment of parts. */
  readonly at: number
}

/** Buckets of new parameters that travel at once. */
const MOST_UNDER_WAY = 4

/**
 * Every worker holds the slots and averages of its parts of the buckets alone, updates these, and collects the other new
 * parameters from the workers that made them. For optimizers whose unit is the element.
 *
 * Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models", stage 1 (P_os); a part of
 * every bucket instead of one stretch of all, so that sums arrive at their worker while the backward pass still runs.
 */
export function partsOptimizer(options: OptimizerOptions): OptimizerState {
  const { optimizer, averages, communicator, backend, trainable, gradients, buckets, staging, groupOf } = options
  const { rank, size } = communicator
  const sizes = trainable.segments.map(() => 0)
  const places: Place[] = buckets.map((bucket) => {
    const part = partOf(bucket, rank, size)
    const at = sizes[bucket.segment]
    sizes[bucket.segment] += part.length
    return { bucket, at, ...part }
  })
  const own = places.filter(({ length }) => length > 0)
  const names = [...optimizer.slots, ...averages]
  const parts: Record<string, (Tensor | null)[]> = Object.fromEntries(
    names.map((name) => [name, sizes.map((length) => (length > 0 ? zeros([length], { backend }) : null))]),
  )
  const onPart = <T>(segments: readonly (Tensor | null)[], { bucket, at, length }: Place, work: (x: Tensor) => T): T =>
    onElements(segments[bucket.segment]!, at, length, work)
  const onOwn = <T>({ segments }: FlatParams, { bucket, start, length }: Place, work: (x: Tensor) => T): T =>
    onElements(segments[bucket.segment], bucket.offset + start, length, work)
  /** Runs `work` with this worker's parts of everything that is kept. */
  const onKept = (place: Place, work: (kept: Record<string, Tensor>) => void, first = 0): void => {
    if (first === names.length) return work({})
    const name = names[first]
    onPart(parts[name], place, (x) => onKept(place, (kept) => work({ ...kept, [name]: x }), first + 1))
  }
  for (const name of averages) {
    for (const place of own) {
      onPart(parts[name], place, (average) => onOwn(trainable, place, (x) => backend.kernels.copy(x, average)))
    }
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
    slots: optimizer.slots,
    averages,
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
          const group = groupOf[place.bucket.segment]
          onOwn(trainable, place, (parameter) =>
            onOwn(gradients, place, (gradient) =>
              onKept(place, (kept) => updateStretch(options, group, { parameter, gradient, kept }, step)),
            ),
          )
        }
        underWay.push(direct === undefined ? await joinStaged(place) : joinDirect(place))
        communicator.poll()
        if (underWay.length > MOST_UNDER_WAY) await underWay.shift()!.wait()
      }
      for (const joining of underWay) await joining.wait()
    },
    async read(name, index) {
      const place = places[index]
      const { part, values, transfer } = await gather(place, parts[name][place.bucket.segment], place.at)
      await transfer.wait()
      const result = values.slice(0, place.bucket.size)
      staging.give(part)
      staging.give(values)
      return result
    },
    load(name, parameter, values) {
      const entry = trainable.layout.entries.find((other) => other.name === parameter)!
      const place = places.find(({ bucket }) => bucket.names.includes(parameter))!
      const first = place.bucket.offset + place.start
      const from = Math.max(first, entry.offset)
      const to = Math.min(first + place.length, entry.offset + values.length)
      if (from >= to) return
      const target = parts[name][place.bucket.segment]!
      writeElements(target, place.at + from - first, values.subarray(from - entry.offset, to - entry.offset))
    },
    average: () => null,
    bytes: names.reduce((sum, name) => sum + bytesOf(parts[name]), 0),
    dispose: () => dispose(Object.values(parts)),
  }
}
