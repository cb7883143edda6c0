import type { Communicator, Floats, Transfer } from '@dit/collectives'
import type { Backend, FlatParams } from '@dit/tensor'
import { type Bucket, type BucketPart, partLength, partOf } from './buckets.js'
import { directCollectives, readElements, segmentNumbers, type Staging, writeElements } from './staging.js'

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

/** A bucket that was sent. */
interface UnderWay {
  readonly transfer: Transfer
  /** Bytes of staging arrays that it occupies. */
  readonly bytes: number
  /** Puts the sums where they belong, once the transfer is done. */
  receive(): void
}

/**
 * Exchange of the gradients in flat segments. Buckets are sent in one fixed order on every worker, each as soon as all its
 * gradients and those of the buckets before it are complete. Engines that the host cannot read at once send in `finish`.
 */
export function gradientExchange(options: GradientExchangeOptions): GradientExchange {
  const { communicator, backend, buckets } = options
  const send = sendDirect(options) ?? sendStaged(options)
  const bucketOf = new Map(buckets.flatMap((bucket, i) => bucket.names.map((name) => [name, i])))
  const elementBytes = backend.float === 'f64' ? 8 : 4
  let missing: number[] = []
  let next = 0
  let isActive = false
  const underWay: UnderWay[] = []
  let bytes = 0

  const sendNext = (sent: UnderWay) => {
    bytes += sent.bytes
    underWay.push(sent)
    next++
  }
  const receiveFirst = () => {
    const first = underWay.shift()!
    first.receive()
    bytes -= first.bytes
  }
  const isFull = () => bytes > 0 && bytes + buckets[next].size * elementBytes > MOST_UNDER_WAY

  return {
    begin() {
      missing = buckets.map(({ names }) => names.length)
      next = 0
      isActive = true
    },
    ready(name) {
      if (!isActive || backend.read === undefined) return
      missing[bucketOf.get(name)!]--
      communicator.poll()
      while (underWay.length > 0 && underWay[0].transfer.poll()) receiveFirst()
      // What engines that the host reads give is no promise.
      while (next < buckets.length && missing[next] === 0 && !isFull()) sendNext(send(buckets[next]) as UnderWay)
    },
    async finish() {
      while (next < buckets.length) {
        while (isFull()) {
          await underWay[0].transfer.wait()
          receiveFirst()
        }
        sendNext(await send(buckets[next]))
      }
      while (underWay.length > 0) {
        await underWay[0].transfer.wait()
        receiveFirst()
      }
      isActive = false
    },
  }
}

type Send = (bucket: Bucket) => UnderWay | Promise<UnderWay>

/** Sends from the engine's memory and receives into it, where that can be done. */
function sendDirect({ communicator, backend, gradients, isSharded }: GradientExchangeOptions): Send | null {
  const direct = directCollectives(communicator, backend)
  if (direct === undefined) return null
  const { rank, size } = communicator
  return (bucket) => {
    const segment = gradients.segments[bucket.segment]
    const own = partOf(bucket, rank, size)
    const length = partLength(bucket, size)
    const transfer = isSharded
      ? direct.reduceScatter(
          segmentNumbers(segment, bucket.offset, bucket.size, size * length),
          segmentNumbers(segment, bucket.offset + own.start, own.length, length),
        )
      : direct.allReduce(segmentNumbers(segment, bucket.offset, bucket.size))
    return { transfer, bytes: 0, receive() {} }
  }
}

/** Sends copies of the gradients, in arrays of the host. */
function sendStaged({ communicator, gradients, staging, isSharded }: GradientExchangeOptions): Send {
  const { rank, size } = communicator
  const write = ({ segment, offset }: Bucket, { start, length }: BucketPart, values: Floats) => {
    if (length > 0) writeElements(gradients.segments[segment], offset + start, values.subarray(0, length))
  }
  const sendCopy = (bucket: Bucket, values: Floats): UnderWay => {
    const bytes = values.byteLength
    if (!isSharded) {
      const receive = () => {
        write(bucket, { start: 0, length: bucket.size }, values)
        staging.give(values)
      }
      return { transfer: communicator.allReduce(values), bytes, receive }
    }
    const part = staging.take(partLength(bucket, size))
    const receive = () => {
      write(bucket, partOf(bucket, rank, size), part)
      staging.give(values)
      staging.give(part)
    }
    return { transfer: communicator.reduceScatter(values, part), bytes, receive }
  }
  return (bucket) => {
    const values = staging.take(isSharded ? size * partLength(bucket, size) : bucket.size)
    values.fill(0, bucket.size)
    const { segment, offset, size: length } = bucket
    const read = readElements(gradients.segments[segment], offset, values.subarray(0, length))
    return read === undefined ? sendCopy(bucket, values) : read.then(() => sendCopy(bucket, values))
  }
}
