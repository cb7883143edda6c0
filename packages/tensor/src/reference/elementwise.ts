import type { BinaryOp, RequiredKernels, UnaryOp, View } from '../backend.js'
import { type Shape, sizeOf, stridesOf } from '../shape.js'
import { values } from './values.js'

type Elementwise = Pick<
  RequiredKernels,
  'fill' | 'copy' | 'unary' | 'unaryBackward' | 'affine' | 'accumulate' | 'binary' | 'select' | 'sum'
>

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const geluInner = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)

const functions: Record<UnaryOp, (x: number) => number> = {
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: (x) => x * x,
  abs: Math.abs,
  tanh: Math.tanh,
  sigmoid,
  silu: (x) => x * sigmoid(x),
  gelu: (x) => 0.5 * x * (1 + Math.tanh(geluInner(x))),
  sin: Math.sin,
  cos: Math.cos,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
}

const derivatives: Record<UnaryOp, (x: number) => number> = {
  exp: Math.exp,
  log: (x) => 1 / x,
  sqrt: (x) => 0.5 / Math.sqrt(x),
  square: (x) => 2 * x,
  abs: Math.sign,
  tanh: (x) => 1 - Math.tanh(x) ** 2,
  sigmoid: (x) => sigmoid(x) * (1 - sigmoid(x)),
  silu: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  gelu: (x) => {
    const t = Math.tanh(geluInner(x))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x)
  },
  sin: Math.cos,
  cos: (x) => -Math.sin(x),
  relu: (x) => Number(x > 0),
  relu6: (x) => Number(x > 0 && x < 6),
}

const operators: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
  greater: (a, b) => Number(a > b),
  less: (a, b) => Number(a < b),
  equal: (a, b) => Number(a === b),
}

export const elementwiseKernels: Elementwise = {
  fill(out, value) {
    values(out).fill(value)
  },
  copy(x, out) {
    values(out).set(values(x))
  },
  unary(op, x, out) {
    const [from, to, f] = [values(x), values(out), functions[op]]
    for (let i = 0; i < to.length; i++) to[i] = f(from[i])
  },
  unaryBackward(op, x, dy, dx) {
    const [at, gradient, to, f] = [values(x), values(dy), values(dx), derivatives[op]]
    for (let i = 0; i < to.length; i++) to[i] = gradient[i] * f(at[i])
  },
  affine(x, scale, offset, out) {
    const [from, to] = [values(x), values(out)]
    for (let i = 0; i < to.length; i++) to[i] = scale * from[i] + offset
  },
  accumulate(x, y, scale) {
    const [to, from] = [values(x), values(y)]
    for (let i = 0; i < to.length; i++) to[i] += scale * from[i]
  },
  binary(op, a, b, out) {
    const [x, y, to, f] = [values(a), values(b), values(out), operators[op]]
    const [indexA, indexB] = [broadcastIndex(a.shape, out.shape), broadcastIndex(b.shape, out.shape)]
    for (let i = 0; i < to.length; i++) to[i] = f(x[indexA(i)], y[indexB(i)])
  },
  select(condition, a, b, out) {
    const [test, x, y, to] = [condition, a, b, out].map(values)
    const [indexTest, indexA, indexB] = [condition, a, b].map((view: View) => broadcastIndex(view.shape, out.shape))
    for (let i = 0; i < to.length; i++) to[i] = test[indexTest(i)] !== 0 ? x[indexA(i)] : y[indexB(i)]
  },
  sum(x, _axes, out) {
    const [from, to] = [values(x), values(out)]
    const target = broadcastIndex(out.shape, x.shape)
    to.fill(0)
    for (let i = 0; i < from.length; i++) to[target(i)] += from[i]
  },
}

/** Maps an index into `out` to the index into a tensor of `shape` that was stretched to it. */
function broadcastIndex(shape: Shape, out: Shape): (index: number) => number {
  if (sizeOf(shape) === sizeOf(out)) return (index) => index
  const missing = out.length - shape.length
  const own = stridesOf(shape)
  const steps = stridesOf(out).map((stride, axis) => ({
    stride,
    extent: out[axis],
    step: axis < missing || shape[axis - missing] === 1 ? 0 : own[axis - missing],
  }))
  return (index) => {
    let result = 0
    for (const { stride, extent, step } of steps) result += (Math.floor(index / stride) % extent) * step
    return result
  }
}
