import { type Backend, sizeOf, type TensorData, typedArray, type View } from '@dit/tensor'
import { setDescription } from './describe.js'
import type { Engine } from './engine.js'
import { elementwiseKernels } from './kernels/elementwise.js'
import { fusedKernels } from './kernels/fused.js'
import { imageKernels } from './kernels/image.js'
import { layoutKernels } from './kernels/layout.js'
import { matrixKernels } from './kernels/matrix.js'
import { type CpuBuffer, type Memory, addressOf } from './memory.js'

/** The backend over an engine: buffers, their accounting, and the kernels. */
export function createBackend(engine: Engine): Backend {
  const live = new Set<CpuBuffer>()
  let bytes = 0
  let peakBytes = 0
  const memory: Memory = {
    allocate(byteLength) {
      const buffer = { address: engine.allocate(byteLength), byteLength }
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
  const backend: Backend = {
    name: engine.name,
    float: 'f32',
    dtypes: ['f32', 'i32'],
    supportsViews: true,
    maxBufferBytes: engine.maxBufferBytes,
    allocate: memory.allocate,
    free: (buffer) => memory.free(buffer as CpuBuffer),
    upload: (view, data) => engine.write(addressOf(view), data as Float32Array | Int32Array),
    download: async (view) => downloaded(engine, view),
    read: (view, into) => engine.read(addressOf(view), into as Float32Array | Int32Array),
    memory: () => ({ buffers: live.size, bytes, peakBytes }),
    kernels: {
      ...elementwiseKernels(engine),
      ...layoutKernels(engine),
      ...matrixKernels(engine),
      ...fusedKernels(engine, memory),
      ...imageKernels(engine, memory),
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

function downloaded(engine: Engine, view: View): TensorData {
  const data = typedArray(view.dtype, sizeOf(view.shape)) as Float32Array | Int32Array
  engine.read(addressOf(view), data)
  return data
}
