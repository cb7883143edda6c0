import { type Backend, currentBackend, empty, type Tensor } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { shared } from './kernels/packing.js'
import { handle, place } from './runner.js'
import { runnerOf } from './tfjs.js'

/**
 * A tfjs tensor as a tensor, without a copy. Both are handles of the same values: each is disposed of by its owner, and
 * neither sees what is done to the other in place.
 *
 * @param x float32 or int32
 * @param backend a backend of this package, on the engine where `x` lives
 * @returns f32 or i32; the caller disposes of it, and of `x`
 * @throws TypeError for another dtype, backend or engine
 */
export function fromTf(x: tf.Tensor, { backend = currentBackend() }: { readonly backend?: Backend } = {}): Tensor {
  const runner = runnerOf('fromTf', backend)
  if (x.dtype !== 'float32' && x.dtype !== 'int32') {
    throw new TypeError(`fromTf: x must be float32 or int32 (got ${x.dtype})`)
  }
  runner.activate()
  if (tf.backend().refCount(x.dataId) === 0) {
    throw new TypeError(
      `fromTf: x must live on the engine of ${backend.name}; make it after tf.setBackend('${runner.engine}')`,
    )
  }
  const out = empty(backend, x.shape, x.dtype === 'int32' ? 'i32' : 'f32')
  place(out, handle(shared(x)))
  return out
}

/**
 * A tensor as a tfjs tensor, without a copy. Both are handles of the same values: each is disposed of by its owner, and
 * a later update of `x` in place does not show in the result. On the wasm engine it is a copy where `x` was the right side
 * of a product before: tfjs would confuse its shapes.
 *
 * @returns float32 or int32, on the engine of the backend; the caller disposes of it (or a `tf.tidy` around the call)
 * @throws TypeError when `x` does not live on a backend of this package
 */
export function toTf(x: Tensor): tf.Tensor {
  const runner = runnerOf('toTf', x.backend)
  runner.activate()
  return tf.tidy(() => handle(shared(runner.read(x))))
}
