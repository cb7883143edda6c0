import type { Backend } from '@dit/tensor'
import { setDescription } from './describe.js'
import { adamwKernel } from './kernels/adamw.js'
import { attentionKernels } from './kernels/attention.js'
import { broadcastKernels } from './kernels/broadcast.js'
import { convolutionKernels } from './kernels/conv2d.js'
import { accumulateNow, elementwiseKernels } from './kernels/elementwise.js'
import { gatedResidualKernels } from './kernels/gated-residual.js'
import { groupNormKernels } from './kernels/group-norm.js'
import { indexingKernels } from './kernels/indexing.js'
import { layoutKernels } from './kernels/layout.js'
import { layerNormKernels } from './kernels/layer-norm.js'
import { linearKernels } from './kernels/linear.js'
import { matmulKernel } from './kernels/matmul.js'
import { poolingKernels } from './kernels/pooling.js'
import { qkNormRopeKernels } from './kernels/qk-norm-rope.js'
import { randomNormalKernel } from './kernels/random-normal.js'
import { rmsNormKernels } from './kernels/rms-norm.js'
import { softmaxKernels } from './kernels/softmax.js'
import { sumKernel } from './kernels/sum.js'
import { swigluKernels } from './kernels/swiglu.js'
import { upsampleKernels } from './kernels/upsample.js'
import type { GpuBuffer } from './runtime/pool.js'
import { createRuntime } from './runtime/runtime.js'
import type { Half } from './wgsl/half.js'
import type { MatrixUnits } from './wgsl/product-units.js'

export interface BackendOptions {
  readonly half: Half
  readonly units: MatrixUnits | null
  readonly useSubgroups: boolean
  readonly gradientLift: number
  readonly useSmallTiles: boolean
  readonly adapterText: string
  readonly isSoftware: boolean
}

/** @throws RangeError unless it is a power of two that neither loses bits nor leaves no room */
export function checkedLossScale(value: number): number {
  if (Number.isInteger(Math.log2(value)) && value >= 1 && value <= 65_536) return value
  throw new RangeError(`webgpu: lossScale must be a power of two from 1 to 65536 (got ${value})`)
}

/** The backend over a device, which it takes over. */
export function createBackend(
  device: GPUDevice,
  { half, units, useSubgroups, gradientLift, useSmallTiles, adapterText, isSoftware }: BackendOptions,
): Backend {
  const name = half === 'none' ? 'webgpu' : 'webgpu-f16'
  const runtime = createRuntime(name, device, {
    half,
    units,
    useSubgroups,
    gradientLift,
    useSmallTiles,
    add: (running, sum, part) => accumulateNow(running, sum, part, 1),
  })
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits
  const backend: Backend = {
    name,
    float: 'f32',
    dtypes: ['f32', 'i32', 'f16', 'bf16'],
    supportsViews: true,
    maxBufferBytes: Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 256) * 256,
    allocate: (byteLength) => runtime.allocate(byteLength),
    free: (buffer) => runtime.free(buffer as GpuBuffer),
    upload: (view, data) => runtime.upload(view, data),
    download: (view) => runtime.download(view),
    memory: () => {
      const { buffers, bytes, peakBytes } = runtime.memory()
      return { buffers, bytes, peakBytes }
    },
    kernels: {
      ...elementwiseKernels(runtime),
      ...broadcastKernels(runtime),
      ...layoutKernels(runtime),
      ...indexingKernels(runtime),
      ...sumKernel(runtime),
      ...softmaxKernels(runtime),
      ...matmulKernel(runtime),
      ...linearKernels(runtime),
      ...layerNormKernels(runtime),
      ...attentionKernels(runtime),
      ...gatedResidualKernels(runtime),
      ...swigluKernels(runtime),
      ...rmsNormKernels(runtime),
      ...qkNormRopeKernels(runtime),
      ...adamwKernel(runtime),
      ...randomNormalKernel(runtime),
      ...convolutionKernels(runtime),
      ...poolingKernels(runtime),
      ...groupNormKernels(runtime),
      ...upsampleKernels(runtime),
    },
    dispose: () => runtime.destroy(),
  }
  if (half !== 'none') {
    Object.defineProperty(backend, 'lossScale', {
      get: () => runtime.capabilities.gradientLift,
      set(value: number) {
        runtime.capabilities.gradientLift = checkedLossScale(value)
      },
    })
  }
  setDescription(backend, { runtime, adapter: adapterText, isSoftware })
  return backend
}
