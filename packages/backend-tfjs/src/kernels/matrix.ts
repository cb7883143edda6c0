import type { RequiredKernels } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { mul, sub } from './arithmetic.js'
import type { Runner } from '../runner.js'
import { product } from './product.js'

type Matrix = Pick<RequiredKernels, 'matmul' | 'softmax' | 'softmaxBackward'>

export function matrixKernels(runner: Runner): Matrix {
  return {
    matmul(a, b, transposeA, transposeB, out) {
      runner.run(out, () => product(runner.read(a), runner.read(b), transposeA, transposeB))
    },
    softmax(x, out) {
      runner.run(out, () => tf.softmax(runner.read(x)))
    },
    softmaxBackward(y, dy, dx) {
      runner.run(dx, () => softmaxSlope(runner.read(y), runner.read(dy)))
    },
  }
}

/** y (dy - sum(dy y)) over the last axis */
export function softmaxSlope(y: tf.Tensor, dy: tf.Tensor): tf.Tensor {
  const weighted = mul(dy, y)
  return sub(weighted, mul(y, tf.sum(weighted, -1, true)))
}
