import type { BackendMemory } from '@dit/tensor'
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core'

/**
 * What this package calls a buffer: a place for one `tf.Tensor`. tfjs tensors never change, so a kernel writes by putting a
 * new one in the slot of its output.
 */
export interface Slot {
  readonly byteLength: number
  /** Null until something is written: the contents are undefined. */
  tensor: TfTensor | null
}

/** All slots of one backend, and what forward kernels saved, with their sizes. */
export class Slots {
  private readonly live = new Set<Slot>()
  private bytes = 0
  private peakBytes = 0
  private readonly name: string

  constructor(name: string) {
    this.name = name
  }

  allocate(byteLength: number): Slot {
    const slot: Slot = { byteLength, tensor: null }
    this.live.add(slot)
    this.bytes += byteLength
    this.peakBytes = Math.max(this.peakBytes, this.bytes)
    return slot
  }

  free(slot: Slot): void {
    if (!this.live.delete(slot)) {
      throw new Error(`${this.name}: buffer was freed before, or is not of this backend`)
    }
    this.bytes -= slot.byteLength
    slot.tensor?.dispose()
    slot.tensor = null
  }

  has(slot: Slot): boolean {
    return this.live.has(slot)
  }

  memory(): BackendMemory {
    return { buffers: this.live.size, bytes: this.bytes, peakBytes: this.peakBytes }
  }

  freeAll(): void {
    for (const slot of this.live) this.free(slot)
  }
}
