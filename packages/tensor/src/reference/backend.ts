import type { Backend } from '../backend.js'
import { elementwiseKernels } from './elementwise.js'
import { indexingKernels } from './indexing.js'
import { matrixKernels } from './matrix.js'
import { stored } from './values.js'

/**
 * The oracle: plain loops in float64, slow and obviously right, with the required kernels only. Needs nothing and runs
 * everywhere.
 */
export function reference(): Backend {
  const live = new Set<ArrayBuffer>()
  let bytes = 0
  let peakBytes = 0
  return {
    name: 'reference',
    float: 'f64',
    dtypes: ['f64', 'i32', 'f16', 'bf16'],
    supportsViews: true,
    maxBufferBytes: 2 ** 32,
    allocate(byteLength) {
      const buffer = new ArrayBuffer(byteLength)
      live.add(buffer)
      bytes += byteLength
      peakBytes = Math.max(peakBytes, bytes)
      return buffer
    },
    free(buffer) {
      if (!live.delete(buffer as ArrayBuffer))
        throw new Error('reference: buffer was freed before, or is not of this backend')
      bytes -= (buffer as ArrayBuffer).byteLength
    },
    upload(view, data) {
      stored(view).set(data)
    },
    async download(view) {
      return stored(view).slice()
    },
    read(view, into) {
      into.set(stored(view))
    },
    memory: () => ({ buffers: live.size, bytes, peakBytes }),
    kernels: { ...elementwiseKernels, ...indexingKernels, ...matrixKernels },
    dispose() {
      live.clear()
      bytes = 0
    },
  }
}
