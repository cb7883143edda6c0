import { USAGE } from './constants.js'

/** Memory of the device that a tensor, or a kernel for its own use, holds. */
export interface GpuBuffer {
  /** Order of creation, and the name in caches. */
  readonly id: number
  readonly gpu: GPUBuffer
  /** Bytes that the memory really has: those of its size class. */
  readonly capacity: number
  /** Bytes that were asked for, since the last time it was handed out. */
  byteLength: number
  /** True between `take` and `retire`. */
  isLive: boolean
  /** The last batch of commands that uses it. */
  batch: number
  /** Of memory that belongs to somebody else: called when nothing here needs it any more. */
  readonly onReturn?: () => void
}

export interface PoolMemory {
  readonly buffers: number
  /** Bytes asked for by what is live. */
  readonly bytes: number
  readonly peakBytes: number
  /** Bytes of all memory that the pool holds, live or free. */
  readonly reservedBytes: number
}

export interface Pool {
  take(byteLength: number): GpuBuffer
  /** Takes memory of somebody else in; it goes back by `onReturn`. */
  adopt(gpu: GPUBuffer, byteLength: number, onReturn: () => void): GpuBuffer
  /** Ends the life of a buffer for the accounting; its memory may still be used by commands that were not recorded yet. */
  retire(buffer: GpuBuffer): void
  /** The device had no memory for the buffer of this label: it is not handed out again. */
  forsake(label: string): void
  /** Offers the memory of a retired buffer for use by others. */
  readonly recycle: (buffer: GpuBuffer) => void
  readonly memory: () => PoolMemory
  destroy(): void
}

const SMALLEST = 256
/** Free memory beyond the live bytes that the pool keeps at most when it needs more. */
const SLACK_BYTES = 64 * 2 ** 20

/**
 * Buffers by size classes, 8 to a power of two. Of a class the free buffer made first is handed out, so that a step that
 * repeats gets the same buffers again whatever the order in which the last one freed them: its bind groups stay valid.
 *
 * @param onDestroy called before memory is given back to the device
 * @param onCreate  called before memory is asked of the device
 */
export function createPool(
  device: GPUDevice,
  onDestroy: (buffers: readonly GpuBuffer[]) => void,
  onCreate: (label: string, bytes: number, reservedBytes: number) => void = () => {},
): Pool {
  const free = new Map<number, GpuBuffer[]>()
  const all = new Set<GpuBuffer>()
  /** Labels of buffers that the device had no memory for. */
  const forsaken = new Set<string>()
  const { maxBufferSize } = device.limits
  let nextId = 0
  let isDestroyed = false
  let [buffers, bytes, peakBytes, reservedBytes, freeBytes] = [0, 0, 0, 0, 0]

  function make(capacity: number): GpuBuffer {
    if (freeBytes > bytes + SLACK_BYTES) trim()
    const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget
    const label = `tensors ${nextId}`
    onCreate(label, capacity, reservedBytes)
    const gpu = device.createBuffer({ label, size: capacity, usage })
    const buffer: GpuBuffer = { id: nextId++, gpu, capacity, byteLength: 0, isLive: false, batch: -1 }
    all.add(buffer)
    reservedBytes += capacity
    return buffer
  }

  function trim(): void {
    remove([...free.values()].flat())
    free.clear()
    freeBytes = 0
  }

  function remove(unused: readonly GpuBuffer[]): void {
    onDestroy(unused)
    for (const buffer of unused) {
      buffer.gpu.destroy()
      all.delete(buffer)
      reservedBytes -= buffer.capacity
    }
  }

  return {
    take(byteLength) {
      const capacity = sizeClass(byteLength, maxBufferSize)
      let buffer = free.get(capacity)?.shift()
      if (buffer === undefined) buffer = make(capacity)
      else freeBytes -= capacity
      buffer.isLive = true
      buffer.byteLength = byteLength
      buffers++
      bytes += byteLength
      peakBytes = Math.max(peakBytes, bytes)
      return buffer
    },
    retire(buffer) {
      buffer.isLive = false
      if (isDestroyed) return
      buffers--
      bytes -= buffer.byteLength
    },
    adopt(gpu, byteLength, onReturn) {
      const buffer = { id: nextId++, gpu, capacity: gpu.size, byteLength, isLive: true, batch: -1, onReturn }
      buffers++
      bytes += byteLength
      peakBytes = Math.max(peakBytes, bytes)
      return buffer
    },
    recycle(buffer) {
      if (buffer.onReturn !== undefined) {
        onDestroy([buffer])
        buffer.onReturn()
        return
      }
      if (forsaken.delete(buffer.gpu.label)) {
        remove([buffer])
        return
      }
      freeBytes += buffer.capacity
      const others = free.get(buffer.capacity)
      if (others === undefined) {
        free.set(buffer.capacity, [buffer])
        return
      }
      let at = others.length
      while (at > 0 && others[at - 1].id > buffer.id) at--
      others.splice(at, 0, buffer)
    },
    forsake(label) {
      forsaken.add(label)
      // Errors may come later than the end of a buffer's life.
      if ([...free.values()].some((buffers) => buffers.some(({ gpu }) => forsaken.delete(gpu.label)))) trim()
    },
    memory: () => ({ buffers, bytes, peakBytes, reservedBytes }),
    destroy() {
      isDestroyed = true
      for (const { gpu } of all) gpu.destroy()
      all.clear()
      free.clear()
      ;[buffers, bytes, reservedBytes, freeBytes] = [0, 0, 0, 0]
    },
  }
}

/** The smallest of 2^k (1 + j / 8) that holds so many bytes, and at most what a buffer may have. */
export function sizeClass(byteLength: number, maxBufferSize: number): number {
  if (byteLength <= SMALLEST) return SMALLEST
  const power = SMALLEST * 2 ** (31 - Math.clz32(byteLength / SMALLEST))
  const step = Math.max(power / 8, SMALLEST)
  const size = Math.ceil(byteLength / step) * step
  return Math.max(Math.min(size, Math.floor(maxBufferSize / 4) * 4), Math.ceil(byteLength / 4) * 4)
}
