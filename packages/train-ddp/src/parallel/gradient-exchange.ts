import type { Backend, FlatParams } from '@dit/tensor'
import type { Communicator, Floats, Transfer } from '../communicator/communicator.js'
import { type Bucket, partLength, partOf } from './buckets.js'
import { readElements, type Staging, writeElements } from './staging.js'

/** Bytes of staging arrays under way at once: beyond it a bucket is sent only when an earlier one has arrived. */
const MOST_UNDER_WAY = 2 ** 26

/** Sums gradients over the workers, bucket by bucket, while the backward pass is still at work. */
export interface GradientExchange {
  /** Begins with a step's last backward pass. */
  begin(): void
  /** A gradient is complete on this worker. */
  readonly ready: (name: string) => void
  /** Sends what is left and waits for everything: afterwards the gradients are sums. */
  finish(): Promise<void>
}

export interface GradientExchangeOptions {
  readonly communicator: Communicator
  readonly backend: Backend
  readonly gradients: FlatParams
  readonly buckets: readonly Bucket[]
  readonly staging: Staging
  /** Each worker gets the sums of its own parts alone; what else is in `gradients` has no meaning afterwards. */
  readonly isSharded: boolean
}

interface UnderWay {
  readonly bucket: Bucket
  readonly transfer: Transfer
  /** The result, which `target` elements of the segment become. */
  readonly result: Floats
  readonly start: number
  readonly length: number
  readonly arrays: readonly Floats[]
}

/**
 * Exchange of the gradients in flat segments. Buckets are sent in one fixed order on every worker, each as soon as all its
 * gradients and those of the buckets before it are complete. Engines that the host cannot read at once send in `finish`.
 */
export function gradientExchange(options: GradientExchangeOptions): GradientExchange {
  const { communicator, backend, gradients, buckets, staging, isSharded } = options
  const { rank, size } = communicator
  const bucketOf = new Map(buckets.flatMap((bucket, i) => bucket.names.map((name) => [name, i])))
  const elementBytes = backend.float === 'f64' ? 8 : 4
  let missing: number[] = []
  let next = 0
  let isActive = false
  const underWay: UnderWay[] = []
  let bytes = 0

  const send = (bucket: Bucket, values: Floats) => {
    bytes += values.byteLength
    if (!isSharded) {
      const transfer = communicator.allReduce(values)
      underWay.push({ bucket, transfer, result: values, start: 0, length: bucket.size, arrays: [values] })
      return
    }
    const part = staging.take(partLength(bucket, size))
    const transfer = communicator.reduceScatter(values, part)
    underWay.push({ bucket, transfer, result: part, ...partOf(bucket, rank, size), arrays: [values, part] })
  }
  const receive = ({ bucket, result, start, length, arrays }: UnderWay) => {
    if (length > 0) {
      writeElements(gradients.segments[bucket.segment], bucket.offset + start, result.subarray(0, length))
    }
    bytes -= arrays[0].byteLength
    arrays.forEach(staging.give)
  }
  const take = (bucket: Bucket) => {
    const values = staging.take(isSharded ? size * partLength(bucket, size) : bucket.size)
    values.fill(0, bucket.size)
    return values
  }
  const read = (bucket: Bucket, values: Floats) =>
    readElements(gradients.segments[bucket.segment], bucket.offset, values.subarray(0, bucket.size))
  const receiveFinished = () => {
    while (underWay.length > 0 && underWay[0].transfer.poll()) receive(underWay.shift()!)
  }

  return {
    begin() {
      missing = buckets.map(({ names }) => names.length)
      next = 0
      isActive = true
    },
    ready(name) {
      if (!isActive || backend.read === undefined) return
      missing[bucketOf.get(name)!]--
      receiveFinished()
      while (next < buckets.length && missing[next] === 0) {
        if (bytes + buckets[next].size * elementBytes > MOST_UNDER_WAY && bytes > 0) return
        const values = take(buckets[next])
        void read(buckets[next], values)
        send(buckets[next++], values)
      }
    },
    async finish() {
      for (; next < buckets.length; next++) {
        while (underWay.length > 0 && bytes + buckets[next].size * elementBytes > MOST_UNDER_WAY) {
          await underWay[0].transfer.wait()
          receive(underWay.shift()!)
        }
        const values = take(buckets[next])
        await read(buckets[next], values)
        send(buckets[next], values)
      }
      for (let first = underWay.shift(); first !== undefined; first = underWay.shift()) {
        await first.transfer.wait()
        receive(first)
      }
      isActive = false
    },
  }
}
