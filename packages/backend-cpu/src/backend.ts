import { type Backend, sizeOf, typedArray, type View } from '@dit/tensor'
import { setDescription } from './describe.js'
import type { Engine, EngineData } from './engine.js'
import { elementwiseKernels } from './kernels/elementwise.js'
import { fusedKernels } from './kernels/fused.js'
import { imageKernels } from './kernels/image.js'
import { layoutKernels } from './kernels/layout.js'
import { matrixKernels } from './kernels/matrix.js'
import { addressOf, type CpuBuffer, type Memory } from './memory.js'

/** The backend over an engine: buffers, their accounting, and the kernels. */
export function createBackend(engine: Engine): Backend {
  const live = new Set<CpuBuffer>()
  let bytes = 0
  let peakBytes = 0
  const memory: Memory = {
    allocate(byteLength) {
      const buffer: CpuBuffer = { address: engine.allocate(byteLength), byteLength }
      live.add(buffer)
      bytes += byteLength
      peakBytes = Math.max(peakBytes, bytes)
      return buffer
    },
    free(buffer) {
      if (!live.delete(buffer)) {
        throw new Error(`${engine.name}: buffer was freed before, or is not of this backend`)
      }
      bytes -= buffer.byteLength
      engine.free(buffer.address, buffer.byteLength)
    },
  }
  const {
    kernels = {},
    dtypes = [],
    write = (view: View, data: EngineData) => engine.write(addressOf(view), data),
    read = (view: View, into: EngineData) => engine.read(addressOf(view), into),
  } = engine.extend?.(memory) ?? {}
  const backend: Backend = {
    name: engine.name,
    float: 'f32',
    dtypes: ['f32', 'i32', ...dtypes],
    supportsViews: true,
    maxBufferBytes: engine.maxBufferBytes,
    allocate: memory.allocate,
    free: (buffer) => memory.free(buffer as CpuBuffer),
    upload: (view, data) => write(view, data as EngineData),
    download: async (view) => {
      const data = typedArray(view.dtype, sizeOf(view.shape))
      read(view, data as EngineData)
      return data
    },
    read: (view, into) => read(view, into as EngineData),
    memory: () => ({ buffers: live.size, bytes, peakBytes }),
    kernels: {
      ...elementwiseKernels(engine),
      ...layoutKernels(engine),
      ...matrixKernels(engine),
      ...fusedKernels(engine, memory),
      ...imageKernels(engine, memory),
      ...kernels,
    },
    dispose() {
      live.clear()
      bytes = 0
      return engine.dispose()
    },
  }
  setDescription(backend, engine.description)
  return backend
}
