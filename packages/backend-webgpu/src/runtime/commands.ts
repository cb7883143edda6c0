import { MAP_READ, UNIFORM_BYTES, USAGE } from './constants.js'
import type { Bindings, Kernel, Range } from './pipelines.js'
import type { GpuBuffer } from './pool.js'

/** Counts since the backend was made. */
export interface CommandCounts {
  readonly dispatches: number
  readonly submits: number
}

/** Records commands and submits them in batches. */
export interface Commands {
  dispatch(kernel: Kernel, ranges: readonly Range[], params: readonly number[], x: number, y: number, z: number): void
  copy(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, byteLength: number): void
  write(buffer: GpuBuffer, offset: number, data: Uint8Array<ArrayBuffer>): void
  read(buffer: GpuBuffer, offset: number, byteLength: number): Promise<ArrayBuffer>
  /** Hands what was recorded to the device. */
  flush(): void
  readonly counts: () => CommandCounts
  destroy(): void
}

/** Dispatches of one submit: enough to make its cost small, few enough for the device to begin early. */
const BATCH = 256
const WORDS = UNIFORM_BYTES / 4

export function createCommands(device: GPUDevice, check: () => void): Commands {
  const { queue } = device
  const uniforms = device.createBuffer({
    label: 'parameters',
    size: BATCH * UNIFORM_BYTES,
    usage: USAGE.uniform | USAGE.copyTarget,
  })
  const block = new ArrayBuffer(BATCH * UNIFORM_BYTES)
  const [asUint, asInt, asFloat] = [new Uint32Array(block), new Int32Array(block), new Float32Array(block)]
  let last: Bindings | null = null
  const staging: GPUBuffer[] = []
  let encoder: GPUCommandEncoder | null = null
  let pass: GPUComputePassEncoder | null = null
  let pipeline: GPUComputePipeline | null = null
  let used = 0
  let batch = 0
  let [dispatches, submits] = [0, 0]

  function endPass(): void {
    pass?.end()
    pass = null
    pipeline = null
  }

  function flush(): void {
    if (encoder === null) return
    endPass()
    // The queue keeps its order: this write comes after the batch before, which used the same memory.
    if (used > 0) queue.writeBuffer(uniforms, 0, block, 0, used * UNIFORM_BYTES)
    queue.submit([encoder.finish()])
    encoder = null
    used = 0
    batch++
    submits++
    check()
  }

  /** Steps repeat: what followed these bindings the last time most likely follows again, and then no key is built. */
  function bind({ layout }: Kernel, ranges: readonly Range[]): Bindings {
    const expected = last?.next ?? null
    if (expected !== null && expected.layout === layout && sameRanges(expected.ranges, ranges)) return (last = expected)
    let key = ''
    for (const { buffer, offset, size } of ranges) key += `${buffer.id}:${offset}:${size};`
    let bindings = layout.bindings.get(key)
    if (bindings === undefined) {
      const group = device.createBindGroup({
        layout: layout.bindGroupLayout,
        entries: [
          { binding: 0, resource: { buffer: uniforms, size: UNIFORM_BYTES } },
          ...ranges.map(({ buffer, offset, size }, i) => ({
            binding: i + 1,
            resource: { buffer: buffer.gpu, offset, size },
          })),
        ],
      })
      bindings = { layout, ranges, group, next: null }
      layout.bindings.set(key, bindings)
    }
    if (last !== null) last.next = bindings
    return (last = bindings)
  }

  return {
    dispatch(kernel, ranges, params, x, y, z) {
      if (used === BATCH) flush()
      const { paramTypes } = kernel
      const base = used * WORDS
      for (let i = 0; i < paramTypes.length; i++) {
        const type = paramTypes[i]
        if (type === 'f32') asFloat[base + i] = params[i]
        else if (type === 'u32') asUint[base + i] = params[i]
        else asInt[base + i] = params[i]
      }
      encoder ??= device.createCommandEncoder()
      pass ??= encoder.beginComputePass()
      if (pipeline !== kernel.pipeline) {
        pipeline = kernel.pipeline
        pass.setPipeline(pipeline)
      }
      pass.setBindGroup(0, bind(kernel, ranges).group, [used * UNIFORM_BYTES])
      pass.dispatchWorkgroups(x, y, z)
      for (const { buffer } of ranges) buffer.batch = batch
      used++
      dispatches++
    },
    copy(from, fromOffset, to, toOffset, byteLength) {
      endPass()
      encoder ??= device.createCommandEncoder()
      encoder.copyBufferToBuffer(from.gpu, fromOffset, to.gpu, toOffset, byteLength)
      from.batch = batch
      to.batch = batch
    },
    write(buffer, offset, data) {
      // A write to the queue comes before what is recorded and not submitted.
      if (encoder !== null && buffer.batch === batch) flush()
      queue.writeBuffer(buffer.gpu, offset, data)
    },
    async read(buffer, offset, byteLength) {
      const size = Math.max(256, 2 ** Math.ceil(Math.log2(byteLength)))
      const at = staging.findIndex((each) => each.size === size)
      const target =
        at >= 0 ? staging.splice(at, 1)[0] : device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget })
      endPass()
      encoder ??= device.createCommandEncoder()
      encoder.copyBufferToBuffer(buffer.gpu, offset, target, 0, byteLength)
      flush()
      try {
        await target.mapAsync(MAP_READ, 0, byteLength)
      } catch (error) {
        check()
        throw error
      }
      check()
      const values = target.getMappedRange(0, byteLength).slice(0)
      target.unmap()
      if (staging.length < 8) staging.push(target)
      else target.destroy()
      return values
    },
    flush,
    counts: () => ({ dispatches, submits }),
    destroy() {
      uniforms.destroy()
      for (const each of staging) each.destroy()
    },
  }
}

function sameRanges(a: readonly Range[], b: readonly Range[]): boolean {
  for (let i = 0; i < a.length; i++) {
    if (a[i].buffer !== b[i].buffer || a[i].offset !== b[i].offset || a[i].size !== b[i].size) return false
  }
  return true
}
