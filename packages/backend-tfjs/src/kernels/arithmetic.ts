import * as tf from '@tensorflow/tfjs-core'

// The ops of tfjs take numbers, but the tensorflow engine makes a tensor of each and copies it to the device, at twice the
// cost of a small op. A training step uses some dozens of numbers over and over: these stay on the device.

/** More than a training step has different ones. */
const CAPACITY = 256

/** In the order of their last use. */
const kept = new Map<number, tf.Tensor>()

type Operand = tf.Tensor | number

export const add = (a: Operand, b: Operand): tf.Tensor => tf.add(operand(a), operand(b))
export const sub = (a: Operand, b: Operand): tf.Tensor => tf.sub(operand(a), operand(b))
export const mul = (a: Operand, b: Operand): tf.Tensor => tf.mul(operand(a), operand(b))
export const div = (a: Operand, b: Operand): tf.Tensor => tf.div(operand(a), operand(b))

function operand(x: Operand): Operand {
  return typeof x === 'number' && tf.getBackend() === 'tensorflow' ? scalar(x) : x
}

function scalar(value: number): tf.Tensor {
  const found = kept.get(value)
  const tensor = found ?? tf.keep(tf.scalar(value))
  kept.delete(value)
  kept.set(value, tensor)
  if (kept.size > CAPACITY) {
    const [oldest, unused] = kept.entries().next().value!
    kept.delete(oldest)
    unused.dispose()
  }
  return tensor
}
