import * as tf from '@tensorflow/tfjs-core'

/**
 * Axis i of the result is axis `axes[i]` of `x`. Made of swaps of two neighbouring blocks of axes, each a transposition
 * of rank 4: the wasm engine takes some 60 ns an element for one of rank 5 or 6, and 1 to 2 for each of these.
 */
export function permuted(x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  if (axes.length <= 4 || tf.getBackend() === 'tensorflow') return tf.transpose(x, [...axes])
  let out = x
  const order = axes.map((_, axis) => axis)
  for (let at = 0; at < axes.length; at++) {
    const from = order.indexOf(axes[at])
    if (from === at) continue
    let count = 1
    while (from + count < order.length && order[from + count] === axes[at + count]) count++
    out = swapped(out, at, from, from + count)
    order.splice(at, 0, ...order.splice(from, count))
  }
  return out
}

/** Axes `middle` .. `end - 1` moved in front of axes `start` .. `middle - 1`. */
function swapped(x: tf.Tensor, start: number, middle: number, end: number): tf.Tensor {
  const { shape } = x
  const blocks = [shape.slice(0, start), shape.slice(start, middle), shape.slice(middle, end), shape.slice(end)]
  const [before, first, second, after] = blocks
  const flat = tf.reshape(
    x,
    blocks.map((block) => block.reduce((size, extent) => size * extent, 1)),
  )
  return tf.reshape(tf.transpose(flat, [0, 2, 1, 3]), [...before, ...second, ...first, ...after])
}

/** Rows that are transposed together in a tall matrix. */
const BLOCK = 32

/**
 * `[M, N]` to `[N, M]`. Tall matrices in blocks of rows: on the wasm engine columns of 512 and more elements that lie a power
 * of two apart push each other out of the cache (3 to 7 ns an element against 1).
 */
export function transposed(x: tf.Tensor): tf.Tensor {
  const [M, N] = x.shape as [number, number]
  if (M < 512 || M % BLOCK !== 0 || tf.getBackend() !== 'wasm') return tf.transpose(x)
  const blocks = tf.transpose(tf.reshape(x, [M / BLOCK, BLOCK, N]), [0, 2, 1]) // [M / BLOCK, N, BLOCK]
  return tf.reshape(tf.transpose(blocks, [1, 0, 2]), [N, M])
}
