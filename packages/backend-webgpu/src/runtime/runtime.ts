import { type BackendMemory, bytesPerElement, sizeOf, type TensorData, typedArray, type View } from '@dit/tensor'
import { createCommands, type CommandCounts } from './commands.js'
import { STORAGE_ALIGNMENT } from './constants.js'
import { bufferOf, createDeferredQueue, type DeferredQueue } from './deferred.js'
import { watchFailures } from './failures.js'
import type { Half } from '../wgsl/half.js'
import type { MatrixUnits } from '../wgsl/product-units.js'
import type { KernelSource } from './kernel.js'
import { createPipelines, type Kernel, type Pipelines, type Range } from './pipelines.js'
import { createPool, type GpuBuffer } from './pool.js'

/** What kernels are chosen by. */
export interface Capabilities {
  /** Bytes that the invocations of a workgroup share. */
  readonly sharedBytes: number
  /** Storage buffers that one kernel can use. */
  readonly storageBuffers: number
  readonly hasF16: boolean
  readonly hasSubgroups: boolean
  /** Reductions use subgroups. */
  readonly useSubgroups: boolean
  /** How operands of products lie in shared memory. */
  readonly half: Half
  /** What multiplies matrices; null where every invocation does by itself. */
  readonly units: MatrixUnits | null
  /** Gradients are multiplied by this before they are rounded to half precision, and products of them divided by it. */
  gradientLift: number
  /** Small tiles, whose code is short: software drivers spend more time on compiling large ones than on running them. */
  readonly useSmallTiles: boolean
}

/** Number of workgroups along each axis. */
export type Groups = readonly [x: number, y?: number, z?: number]

/** A device with everything that kernels share. */
export interface Runtime {
  readonly name: string
  readonly device: GPUDevice
  readonly capabilities: Capabilities
  readonly pipelines: Pipelines
  readonly deferred: DeferredQueue
  allocate(byteLength: number): GpuBuffer
  free(buffer: GpuBuffer): void
  /** Runs `make`, whose first allocation gets memory that belongs to somebody else. */
  adopting<T>(memory: { gpu: GPUBuffer; byteLength: number; onReturn: () => void }, make: () => T): T
  /** Memory for a kernel's own use, as a view of floats. */
  temporary(count: number): View
  release(view: View): void
  kernel(key: string, make: () => KernelSource): Kernel
  /** Records one dispatch. Empty outputs need none. */
  run(
    kernel: Kernel,
    inputs: readonly View[],
    outputs: readonly View[],
    params: readonly number[],
    groups: Groups,
  ): void
  /**
   * Runs `work` without the device: nothing is computed, and what is read is zero. Returns the kernels that it would need and
   * that are not compiled, by their keys.
   */
  rehearse(work: () => void | Promise<void>): Promise<ReadonlyMap<string, () => KernelSource>>
  copyBytes(from: View, to: View, byteLength: number): void
  upload(view: View, data: TensorData): void
  download(view: View): Promise<TensorData>
  flush(): void
  memory(): BackendMemory & { readonly reservedBytes: number }
  counts(): CommandCounts
  destroy(): void
}

const MAX_GROUPS = 65535

/** Bytes of vec4<f32>. The pool's smallest buffers hold more. */
const LARGEST_ELEMENT = 16

/** Stands for a kernel in a rehearsal, where none runs. */
const UNCOMPILED = { label: 'not compiled', paramTypes: [] } as unknown as Kernel

export interface RuntimeOptions {
  readonly half: Half
  readonly units: MatrixUnits | null
  readonly useSubgroups: boolean
  readonly gradientLift: number
  readonly useSmallTiles: boolean
  /** Computes `sum += part` at once; kernels know how. */
  readonly add: (runtime: Runtime, sum: View, part: View) => void
}

export function createRuntime(
  name: string,
  device: GPUDevice,
  { half, units, useSubgroups, gradientLift, useSmallTiles, add }: RuntimeOptions,
): Runtime {
  const failures = watchFailures(name, device, (label) => pool.forsake(label))
  const pipelines = createPipelines(device)
  const commands = createCommands(device, failures.check)
  const forget = (buffers: readonly GpuBuffer[]) => {
    commands.flush()
    pipelines.forget(buffers)
  }
  const pool = createPool(device, forget, failures.noteMemory)
  const capabilities: Capabilities = {
    sharedBytes: device.limits.maxComputeWorkgroupStorageSize,
    storageBuffers: device.limits.maxStorageBuffersPerShaderStage,
    hasF16: device.features.has('shader-f16'),
    hasSubgroups: device.features.has('subgroups'),
    half,
    units,
    useSubgroups,
    gradientLift,
    useSmallTiles,
  }
  const deferred = createDeferredQueue(pool.recycle, (sum, part) => add(runtime, sum, part))

  let rehearsed: Map<string, () => KernelSource> | null = null

  let adopted: GpuBuffer | null = null

  function allocate(byteLength: number): GpuBuffer {
    failures.check()
    const buffer = adopted ?? pool.take(byteLength)
    adopted = null
    return buffer
  }

  function free(buffer: GpuBuffer): void {
    if (!buffer.isLive) throw new Error(`${name}: buffer was freed before, or is not of this backend`)
    pool.retire(buffer)
    if (!deferred.freed(buffer)) pool.recycle(buffer)
  }

  function temporary(count: number): View {
    return { buffer: allocate(count * 4), byteOffset: 0, shape: [count], dtype: 'f32' }
  }

  const release = (view: View) => free(bufferOf(view))

  const bytesOf = (view: View) => sizeOf(view.shape) * bytesPerElement(view.dtype)
  const rangeOf = (view: View): Range => {
    const buffer = bufferOf(view)
    const size = Math.ceil(bytesOf(view) / 4) * 4
    // Bindings hold an element at least, though nothing reads those of an empty view: it may begin at the end of its buffer.
    return size === 0 ? { buffer, offset: 0, size: LARGEST_ELEMENT } : { buffer, offset: view.byteOffset, size }
  }

  function copyBytes(from: View, to: View, byteLength: number): void {
    deferred.settle([from], [to])
    if (byteLength === 0 || rehearsed !== null) return
    if (from.buffer === to.buffer) {
      // The device copies between two buffers only.
      const between = temporary(byteLength / 4)
      commands.copy(bufferOf(from), from.byteOffset, bufferOf(between), 0, byteLength)
      commands.copy(bufferOf(between), 0, bufferOf(to), to.byteOffset, byteLength)
      release(between)
      return
    }
    commands.copy(bufferOf(from), from.byteOffset, bufferOf(to), to.byteOffset, byteLength)
  }

  /** True where a view cannot be bound as it is. */
  function needsCopy(view: View, others: readonly View[]): boolean {
    if (view.byteOffset % STORAGE_ALIGNMENT !== 0) return true
    for (const { buffer } of others) if (buffer === view.buffer) return true
    return false
  }

  function run(
    kernel: Kernel,
    inputs: readonly View[],
    outputs: readonly View[],
    params: readonly number[],
    groups: Groups,
  ) {
    failures.check()
    deferred.settle(inputs, outputs)
    if (rehearsed !== null) return
    const [x, y = 1, z = 1] = groups
    if (x * y * z === 0) return
    if (x > MAX_GROUPS || y > MAX_GROUPS || z > MAX_GROUPS) {
      throw new RangeError(
        `${name}: ${kernel.label} needs ${x} x ${y} x ${z} workgroups (at most ${MAX_GROUPS} an axis)`,
      )
    }
    const copies: View[] = []
    const replaced = (view: View, others: readonly View[]): View => {
      if (!needsCopy(view, others)) return view
      const copy = { ...temporary(Math.ceil(bytesOf(view) / 4)), shape: view.shape, dtype: view.dtype }
      commands.copy(bufferOf(view), view.byteOffset, bufferOf(copy), 0, Math.ceil(bytesOf(view) / 4) * 4)
      copies.push(copy)
      return copy
    }
    const ranges: Range[] = []
    for (const view of inputs) ranges.push(rangeOf(replaced(view, outputs)))
    const moved = outputs.map((view) => replaced(view, []))
    for (const view of moved) ranges.push(rangeOf(view))
    commands.dispatch(kernel, ranges, params, x, y, z)
    for (const [i, view] of outputs.entries()) {
      if (moved[i] === view) continue
      commands.copy(bufferOf(moved[i]), 0, bufferOf(view), view.byteOffset, bytesOf(view))
    }
    for (const copy of copies) release(copy)
  }

  const runtime: Runtime = {
    name,
    device,
    capabilities,
    pipelines,
    deferred,
    allocate,
    free,
    adopting({ gpu, byteLength, onReturn }, make) {
      const buffer = pool.adopt(gpu, byteLength, onReturn)
      adopted = buffer
      try {
        return make()
      } finally {
        // Not taken, since `make` failed before.
        if (adopted === buffer) {
          adopted = null
          free(buffer)
        }
      }
    },
    temporary,
    release,
    kernel(key, make) {
      if (rehearsed === null || pipelines.has(key)) return pipelines.get(key, make)
      rehearsed.set(key, make)
      return UNCOMPILED
    },
    async rehearse(work) {
      if (rehearsed !== null) throw new Error(`${name}: a rehearsal is under way already`)
      deferred.settleAll()
      const found = new Map<string, () => KernelSource>()
      rehearsed = found
      try {
        await work()
        deferred.settleAll()
      } finally {
        rehearsed = null
      }
      return found
    },
    run,
    copyBytes,
    upload(view, data) {
      failures.check()
      deferred.settle([], [view])
      const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
      if (bytes.length === 0) return
      commands.write(bufferOf(view), view.byteOffset, wholeWords(bytes))
    },
    async download(view) {
      failures.check()
      deferred.settle([view], [])
      const size = sizeOf(view.shape)
      if (size === 0 || rehearsed !== null) return typedArray(view.dtype, size)
      const byteLength = Math.ceil(bytesOf(view) / 4) * 4
      const settled = failures.settling()
      const values = await commands.read(bufferOf(view), view.byteOffset, byteLength)
      settled()
      return typedArray(view.dtype, size, values, 0)
    },
    flush() {
      deferred.settleAll()
      commands.flush()
    },
    memory: pool.memory,
    counts: commands.counts,
    destroy() {
      failures.expectLoss()
      commands.destroy()
      pool.destroy()
      device.destroy()
    },
  }
  return runtime
}

/** Bytes for a write, which takes words: an odd number of halves and two zeros, where no view begins. */
function wholeWords(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length % 4 === 0) return bytes
  const words = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  words.set(bytes)
  return words
}

/** Workgroups for so many of them in a row; `main` numbers them `wg.x + wg.y * groups.x`. */
export function spread(count: number): Groups {
  if (count <= MAX_GROUPS) return [count]
  const y = Math.ceil(count / MAX_GROUPS)
  return [Math.ceil(count / y), y]
}
