import { type Backend, empty, type Tensor } from '@dit/tensor'
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import * as tf from '@tensorflow/tfjs-core'
import { runtimeOf } from '../describe.js'
import type { GpuBuffer } from '../runtime/pool.js'

/** Passes tensors between dit and tfjs on one device. */
export interface TfjsBridge {
  /** Name of the tfjs backend, for `tf.setBackend`. */
  readonly name: string
  /**
   * A tensor as a tensor of tfjs on the same memory. It is copied on the device where tfjs needs that: a view into a larger
   * buffer, or memory that is larger than the tensor (size classes of the pool), whose whole tfjs would read.
   *
   * The caller disposes of both; neither must be changed in place while the other lives.
   */
  toTf(x: Tensor): tf.Tensor
  /**
   * A tensor of tfjs, float32 or int32, as a tensor on the same memory. The caller disposes of both.
   *
   * @throws TypeError for another dtype or another backend of tfjs
   */
  fromTf(x: tf.Tensor): Tensor
}

/**
 * What this file uses of WebGPUBackend that tfjs does not promise, pinned to 4.22.0:
 *
 * - `tensorMap.get(dataId).resource`: the GPUBuffer of a tensor, or null while its values are on the host only;
 * - `commandEncoder`: commands that were recorded and not submitted, or null. `submitQueue` needs it not to be null, and an
 *   open compute pass ended before.
 *
 * `createTensorFromGPUData`, `uploadToGPU`, `endComputePassEncoder`, `submitQueue` and `disposeData` are public.
 */
interface Internals {
  readonly tensorMap: { get(id: object): { readonly resource: GPUBuffer | null }; has(id: object): boolean }
  readonly commandEncoder: GPUCommandEncoder | null
}

/** STORAGE | COPY_SRC | COPY_DST, as tfjs makes its own buffers. */
const USAGE = 0x80 | 0x4 | 0x8

/**
 * Starts tfjs on the device of a backend of `webgpu` and registers it, as `dit-webgpu` by default. In Node, `navigator.gpu` and
 * the constants of WebGPU must be global: `Object.assign(globalThis, globals)` of the package webgpu.
 *
 * @throws Error where tfjs has a backend of that name already
 */
export async function shareWithTfjs(backend: Backend, { name = 'dit-webgpu' } = {}): Promise<TfjsBridge> {
  const runtime = runtimeOf('shareWithTfjs', backend)
  const { device } = runtime
  /** By dataId of tfjs: what to do when it is gone. */
  const held = new Map<object, () => void>()

  class SharedBackend extends WebGPUBackend {
    override disposeData(dataId: object, force?: boolean): boolean {
      const isGone = super.disposeData(dataId, force)
      const release = held.get(dataId)
      if (isGone && release !== undefined) {
        held.delete(dataId)
        flushTfjs() // commands that still read it come before whatever its memory is used for next
        release()
      }
      return isGone
    }
  }

  const shared = new SharedBackend(device)
  const internals = shared as unknown as Internals
  function flushTfjs(): void {
    if (internals.commandEncoder === null) return
    shared.endComputePassEncoder()
    shared.submitQueue()
  }

  if (!tf.registerBackend(name, () => shared)) {
    throw new Error(`shareWithTfjs: tfjs has a backend ${name} already; give another name`)
  }
  tf.copyRegisteredKernels('webgpu', name)
  if (!(await tf.setBackend(name))) throw new Error(`shareWithTfjs: tfjs did not start on ${backend.name}`)

  return {
    name,
    toTf(x) {
      if (x.backend !== backend) {
        throw new TypeError(`toTf: x must live on the backend that is shared (it lives on ${x.backend.name})`)
      }
      if (x.dtype !== 'f32' && x.dtype !== 'i32') throw new TypeError(`toTf: x must be f32 or i32 (got ${x.dtype})`)
      const { gpu } = x.buffer as GpuBuffer
      const isWhole = x.byteOffset === 0 && gpu.size === x.byteLength
      runtime.flush()
      const dtype = x.dtype === 'i32' ? 'int32' : 'float32'
      if (isWhole) {
        const hold = x.view(x.shape)
        const result = shared.createTensorFromGPUData({ buffer: gpu, zeroCopy: true }, [...x.shape], dtype)
        held.set(result.dataId, () => hold.dispose())
        return result
      }
      const copy = device.createBuffer({ size: Math.max(4, x.byteLength), usage: USAGE })
      const encoder = device.createCommandEncoder()
      encoder.copyBufferToBuffer(gpu, x.byteOffset, copy, 0, x.byteLength)
      device.queue.submit([encoder.finish()])
      const result = shared.createTensorFromGPUData({ buffer: copy, zeroCopy: true }, [...x.shape], dtype)
      held.set(result.dataId, () => copy.destroy())
      return result
    },
    fromTf(x) {
      if (x.dtype !== 'float32' && x.dtype !== 'int32') {
        throw new TypeError(`fromTf: x must be float32 or int32 (got ${x.dtype})`)
      }
      if (!internals.tensorMap.has(x.dataId)) {
        throw new TypeError(`fromTf: x must live on the backend ${name} of tfjs`)
      }
      shared.uploadToGPU(x.dataId)
      flushTfjs()
      const gpu = internals.tensorMap.get(x.dataId).resource!
      const hold = tf.keep(tf.clone(x))
      const memory = { gpu, byteLength: 4 * x.size, onReturn: () => hold.dispose() }
      return runtime.adopting(memory, () => empty(backend, x.shape, x.dtype === 'int32' ? 'i32' : 'f32'))
    },
  }
}
