import * as tf from '@tensorflow/tfjs-core'
import { mul } from './arithmetic.js'

// The wasm engine keeps the packed form of a right operand for as long as its data lives, and looks it up by the data
// alone: under another shape it would be taken for the wrong matrix, without a word. A copy is new data.

/** Shape under which each data was packed. */
const packedShapes = new WeakMap<object, string>()

/** In place of a shape, for data that code outside this package may pack as it likes. */
const OUTSIDE = 'outside'

/** `b`, or a copy where its data is or may be packed under another shape. */
export function rightOperand(b: tf.Tensor): tf.Tensor {
  if (tf.getBackend() !== 'wasm') return b
  const shape = b.shape.join()
  const packed = packedShapes.get(b.dataId)
  if (packed !== undefined && packed !== shape) return rightOperand(copied(b))
  packedShapes.set(b.dataId, shape)
  return b
}

/** `x`, whose data code outside this package may have packed or may pack; a copy where this package has packed it. */
export function shared(x: tf.Tensor): tf.Tensor {
  const packed = packedShapes.get(x.dataId)
  if (packed !== undefined && packed !== OUTSIDE) return shared(copied(x))
  packedShapes.set(x.dataId, OUTSIDE)
  return x
}

function copied(x: tf.Tensor): tf.Tensor {
  return mul(x, 1)
}
