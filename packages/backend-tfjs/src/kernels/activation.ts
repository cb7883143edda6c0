import type { UnaryOp } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { add, div, mul, sub } from './arithmetic.js'
import { cos, exp, sin } from './transcendental.js'
import { constant, where } from './where.js'

// gelu(x) = 0.5 x (1 + tanh(u)) = x sigmoid(2 u) with 2 u = x (LINEAR + CUBIC x^2): exact, and the sigmoid of the wasm
// engine is vectorised where its tanh is not (1.4 against 24 ns an element).
const LINEAR = 2 * Math.sqrt(2 / Math.PI)
const CUBIC = LINEAR * 0.044715

/** Beyond this, sigmoid(2 u) is 0 or 1 to float32 and so are the slopes; it keeps x^3 finite. */
const GELU_LIMIT = 20

/** An activation and its derivative at the same points, which share most of the work. */
export interface ValueAndSlope {
  readonly value: tf.Tensor
  readonly slope: tf.Tensor
}

export function gelu(x: tf.Tensor): tf.Tensor {
  return mul(x, tf.sigmoid(mul(x, add(mul(tf.square(x), CUBIC), LINEAR))))
}

/** With s = sigmoid(2 u): x s, and s (1 + x 2 u' (1 - s)) where 2 u' = LINEAR + 3 CUBIC x^2 */
export function geluAndSlope(x: tf.Tensor): ValueAndSlope {
  const limited = tf.clipByValue(x, -GELU_LIMIT, GELU_LIMIT)
  const cubic = mul(tf.square(limited), CUBIC)
  const gate = tf.sigmoid(mul(limited, add(cubic, LINEAR)))
  const steepness = mul(limited, add(mul(cubic, 3), LINEAR)) // x 2 u'
  return { value: mul(x, gate), slope: slopeOf(gate, steepness) }
}

export function silu(x: tf.Tensor): tf.Tensor {
  return mul(x, tf.sigmoid(x))
}

/** With s = sigmoid(x): x s, and s (1 + x (1 - s)) */
export function siluAndSlope(x: tf.Tensor): ValueAndSlope {
  const gate = tf.sigmoid(x)
  return { value: mul(x, gate), slope: slopeOf(gate, x) }
}

/** max(x, 0). Not tf.relu, which gives 0 for NaN on the wasm engine, nor tf.relu6 below. */
export function relu(x: tf.Tensor): tf.Tensor {
  return where(tf.less(x, 0), constant(x.shape, 0), x)
}

/** min(max(x, 0), 6) */
export function relu6(x: tf.Tensor): tf.Tensor {
  return where(tf.greater(x, 6), constant(x.shape, 6), relu(x))
}

/** s (1 + steepness (1 - s)) */
function slopeOf(gate: tf.Tensor, steepness: tf.Tensor): tf.Tensor {
  return mul(gate, add(mul(steepness, sub(1, gate)), 1))
}

export const unaryFunctions: Record<UnaryOp, (x: tf.Tensor) => tf.Tensor> = {
  exp,
  log: tf.log,
  sqrt: tf.sqrt,
  square: tf.square,
  abs: tf.abs,
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
  silu,
  gelu,
  sin,
  cos,
  relu,
  relu6,
}

export const unarySlopes: Record<UnaryOp, (x: tf.Tensor) => tf.Tensor> = {
  exp,
  log: (x) => div(1, x),
  sqrt: (x) => div(0.5, tf.sqrt(x)),
  square: (x) => mul(x, 2),
  // Not tf.sign, which is 0 below some 1e-7 on the wasm engine.
  abs: (x) => sub(tf.step(x), tf.step(tf.neg(x))),
  // 1 - tanh(x)^2 = 4 sigmoid(2 x) sigmoid(-2 x), which keeps its digits where tanh is near 1.
  tanh: (x) => mul(mul(tf.sigmoid(mul(x, 2)), tf.sigmoid(mul(x, -2))), 4),
  sigmoid: (x) => mul(tf.sigmoid(x), tf.sigmoid(tf.neg(x))),
  silu: (x) => siluAndSlope(x).slope,
  gelu: (x) => geluAndSlope(x).slope,
  sin: cos,
  cos: (x) => tf.neg(sin(x)),
  relu: (x) => tf.step(x),
  relu6: (x) => mul(tf.step(x), tf.step(sub(6, x))),
}
