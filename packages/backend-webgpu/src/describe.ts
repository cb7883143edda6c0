import type { Backend } from '@dit/tensor'
import type { MatrixSize } from './matrix-units.js'
import type { Capabilities, Runtime } from './runtime/runtime.js'

/** What runs, and what it did so far. */
export interface WebGpuDescription {
  /** Name of the graphics card, as far as the adapter tells. */
  readonly adapter: string
  /** Whether that adapter computes on the processor. */
  readonly isSoftware: boolean
  readonly precision: 'f32' | 'f16'
  /** Of `f16`: as numbers of `shader-f16`, or in pairs as integers. */
  readonly halves: 'none' | 'f16' | 'packed'
  /** What multiplies the operands of products: matrix units of that type and size, or null where every invocation does by itself. */
  readonly matrixUnits: (MatrixSize & { readonly component: 'f16' | 'f32' }) | null
  /** What the device offers. */
  readonly hasF16: boolean
  readonly hasSubgroups: boolean
  /** Whether reductions use them. */
  readonly useSubgroups: boolean
  /** Bytes of memory that a workgroup shares. */
  readonly sharedBytes: number
  readonly maxBufferBytes: number
  /** Kernels compiled so far. */
  readonly kernels: number
  /** Since the backend was made. */
  readonly dispatches: number
  readonly submits: number
  /** Bytes taken from the device: those of live tensors, and what is kept for the next ones. */
  readonly reservedBytes: number
}

interface Described {
  readonly runtime: Runtime
  readonly adapter: string
  readonly isSoftware: boolean
}

const descriptions = new WeakMap<Backend, Described>()

/**
 * What a backend of `webgpu` runs on, with counts up to now.
 *
 * @throws TypeError when the backend is not one of `webgpu`
 */
export function describeWebGpu(backend: Backend): WebGpuDescription {
  const { runtime, adapter, isSoftware } = described('describeWebGpu', backend)
  const { hasF16, hasSubgroups, useSubgroups, sharedBytes, half, units }: Capabilities = runtime.capabilities
  return {
    adapter,
    isSoftware,
    precision: half === 'none' ? 'f32' : 'f16',
    halves: half,
    matrixUnits: units === null ? null : { component: units.component, M: units.M, N: units.N, K: units.K },
    hasF16,
    hasSubgroups,
    useSubgroups,
    sharedBytes,
    maxBufferBytes: backend.maxBufferBytes,
    kernels: runtime.pipelines.size,
    ...runtime.counts(),
    reservedBytes: runtime.memory().reservedBytes,
  }
}

/** Notes what a backend runs on. */
export function setDescription(backend: Backend, description: Described): void {
  descriptions.set(backend, description)
}

/** The runtime behind a backend, for functions that need more than the seam. */
export function runtimeOf(caller: string, backend: Backend): Runtime {
  return described(caller, backend).runtime
}

function described(caller: string, backend: Backend): Described {
  const description = descriptions.get(backend)
  if (description === undefined) {
    throw new TypeError(`${caller}: the backend must be one that webgpu() made (got ${backend.name})`)
  }
  return description
}
