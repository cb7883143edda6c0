import { type BinaryOp, type RequiredKernels, type Shape, sizeOf } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { add, mul } from './arithmetic.js'
import { asShape, type Runner } from '../runner.js'
import { unaryFunctions, unarySlopes } from './activation.js'
import { sumOver } from './reduce.js'
import { constant, where } from './where.js'

type Elementwise = Pick<
  RequiredKernels,
  'fill' | 'copy' | 'unary' | 'unaryBackward' | 'affine' | 'accumulate' | 'binary' | 'select' | 'sum'
>

export function elementwiseKernels(runner: Runner): Elementwise {
  return {
    fill(out, value) {
      runner.run(out, () => constant(out.shape, value, out.dtype === 'i32' ? 'int32' : 'float32'))
    },
    copy(x, out) {
      runner.run(out, () => {
        const source = runner.read(x, out.shape)
        return x.dtype === out.dtype ? source : tf.cast(source, out.dtype === 'i32' ? 'int32' : 'float32')
      })
    },
    unary(op, x, out) {
      runner.run(out, () => unaryFunctions[op](runner.read(x)))
    },
    unaryBackward(op, x, dy, dx) {
      runner.run(dx, () => mul(runner.read(dy), unarySlopes[op](runner.read(x))))
    },
    affine(x, scale, offset, out) {
      runner.run(out, () => {
        const scaled = times(runner.read(x), scale)
        return offset === 0 ? scaled : add(scaled, offset)
      })
    },
    accumulate(x, y, scale) {
      runner.run(x, () => add(runner.read(x), times(runner.read(y, x.shape), scale)))
    },
    binary(op, a, b, out) {
      runner.run(out, () => stretch(binaryFunctions[op](runner.read(a), runner.read(b)), out.shape))
    },
    select(condition, a, b, out) {
      runner.run(out, () => {
        const test = tf.notEqual(stretch(tf.cast(runner.read(condition), 'float32'), out.shape), tf.scalar(0))
        return where(test, stretch(runner.read(a), out.shape), stretch(runner.read(b), out.shape))
      })
    },
    sum(x, axes, out) {
      runner.run(out, () => sumOver(runner.read(x), axes))
    },
  }
}

const binaryFunctions: Record<BinaryOp, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  maximum: (a, b) => withNaN(a, b, tf.maximum(a, b)),
  minimum: (a, b) => withNaN(a, b, tf.minimum(a, b)),
  greater: (a, b) => tf.cast(tf.greater(a, b), 'float32'),
  less: (a, b) => tf.cast(tf.less(a, b), 'float32'),
  equal: (a, b) => tf.cast(tf.equal(a, b), 'float32'),
}

/** NaN wherever an argument is: engines differ in what their maximum makes of it. */
function withNaN(a: tf.Tensor, b: tf.Tensor, extremum: tf.Tensor): tf.Tensor {
  return where(tf.logicalOr(tf.isNaN(a), tf.isNaN(b)), constant(extremum.shape, NaN), extremum)
}

function times(x: tf.Tensor, factor: number): tf.Tensor {
  return factor === 1 ? x : mul(x, factor)
}

/** Broadcast to a shape: as a product with ones, since `tf.broadcastTo` is 200 times slower on the wasm engine. */
function stretch(x: tf.Tensor, shape: Shape): tf.Tensor {
  return x.size === sizeOf(shape) ? asShape(x, shape) : mul(x, constant(shape, 1))
}
