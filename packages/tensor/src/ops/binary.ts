import { isTracked, record } from '../autograd/tape.js'
import type { BinaryOp } from '../backend.js'
import { broadcastShapes } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { checkFloats, refuseHalves } from './check-floats.js'
import { full } from './create.js'
import { sumTo } from './reduce.js'
import { affine } from './unary.js'

/** a + b; shapes broadcast. */
export function add(a: Tensor, b: Tensor): Tensor {
  const out = binary('add', a, b)
  const [needsA, needsB] = [isTracked(a), isTracked(b)]
  record({
    name: 'add',
    inputs: [a, b],
    outputs: [out],
    backward: ([dy]) => [needsA ? sumTo(dy!, a.shape) : null, needsB ? sumTo(dy!, b.shape) : null],
  })
  return out
}

/** a - b; shapes broadcast. */
export function sub(a: Tensor, b: Tensor): Tensor {
  const out = binary('sub', a, b)
  const [needsA, needsB] = [isTracked(a), isTracked(b)]
  record({
    name: 'sub',
    inputs: [a, b],
    outputs: [out],
    backward: ([dy]) => [needsA ? sumTo(dy!, a.shape) : null, needsB ? affine(sumTo(dy!, b.shape), -1) : null],
  })
  return out
}

/** a * b, element by element; shapes broadcast. */
export function mul(a: Tensor, b: Tensor): Tensor {
  const out = binary('mul', a, b)
  const [needsA, needsB] = [isTracked(a), isTracked(b)]
  record({
    name: 'mul',
    inputs: [a, b],
    outputs: [out],
    saves: [...(needsA ? [b] : []), ...(needsB ? [a] : [])],
    backward: ([dy]) => [
      needsA ? sumTo(binary('mul', dy!, b), a.shape) : null,
      needsB ? sumTo(binary('mul', dy!, a), b.shape) : null,
    ],
  })
  return out
}

/** a / b, element by element; shapes broadcast. */
export function div(a: Tensor, b: Tensor): Tensor {
  const out = binary('div', a, b)
  const [needsA, needsB] = [isTracked(a), isTracked(b)]
  record({
    name: 'div',
    inputs: [a, b],
    outputs: [out],
    saves: [b, ...(needsB ? [out] : [])],
    backward: ([dy]) => {
      const quotient = binary('div', dy!, b)
      return [
        needsA ? sumTo(quotient, a.shape) : null,
        needsB ? affine(sumTo(binary('mul', quotient, out), b.shape), -1) : null,
      ]
    },
  })
  return out
}

/** The larger of a and b; where they are equal the gradient goes to `a`. */
export function maximum(a: Tensor, b: Tensor): Tensor {
  return extremum('maximum', a, b)
}

/** The smaller of a and b; where they are equal the gradient goes to `a`. */
export function minimum(a: Tensor, b: Tensor): Tensor {
  return extremum('minimum', a, b)
}

function extremum(op: 'maximum' | 'minimum', a: Tensor, b: Tensor): Tensor {
  const out = binary(op, a, b)
  const [needsA, needsB] = [isTracked(a), isTracked(b)]
  record({
    name: op,
    inputs: [a, b],
    outputs: [out],
    saves: needsA || needsB ? [a, b] : [],
    backward: ([dy]) => {
      const toB = op === 'maximum' ? binary('less', a, b) : binary('greater', a, b)
      const db = binary('mul', dy!, toB)
      return [needsA ? sumTo(binary('sub', dy!, db), a.shape) : null, needsB ? sumTo(db, b.shape) : null]
    },
  })
  return out
}

/** 1 where a > b, else 0; of the dtype of `a`, without a gradient. */
export const greater = (a: Tensor, b: Tensor): Tensor => binary('greater', a, b)
/** 1 where a < b, else 0; of the dtype of `a`, without a gradient. */
export const less = (a: Tensor, b: Tensor): Tensor => binary('less', a, b)
/** 1 where a = b, else 0; of the dtype of `a`, without a gradient. */
export const equal = (a: Tensor, b: Tensor): Tensor => binary('equal', a, b)

/**
 * `a` where the condition (of any dtype) is not 0, else `b`; shapes broadcast. Nothing of the branch not taken reaches the gradient, so
 * that it may be infinite or NaN there.
 */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const backend = commonBackend('where', [condition, a, b])
  checkFloats('where', [a, b])
  refuseHalves('where', [condition])
  const shape = broadcastShapes('where', broadcastShapes('where', condition.shape, a.shape), b.shape)
  const out = empty(backend, shape, a.dtype)
  backend.kernels.select(condition, a, b, out)
  const [needsA, needsB] = [isTracked(a), isTracked(b)]
  record({
    name: 'where',
    inputs: [a, b],
    outputs: [out],
    saves: needsA || needsB ? [condition] : [],
    backward: ([dy]) => {
      const zero = full([], 0, { backend, dtype: dy!.dtype })
      const chosen = (yes: Tensor, no: Tensor) => {
        const out = empty(backend, shape, a.dtype)
        backend.kernels.select(condition, yes, no, out)
        return out
      }
      return [needsA ? sumTo(chosen(dy!, zero), a.shape) : null, needsB ? sumTo(chosen(zero, dy!), b.shape) : null]
    },
  })
  return out
}

function binary(op: BinaryOp, a: Tensor, b: Tensor): Tensor {
  const backend = commonBackend(op, [a, b])
  checkFloats(op, [a, b])
  const out = empty(backend, broadcastShapes(op, a.shape, b.shape), a.dtype)
  backend.kernels.binary(op, a, b, out)
  return out
}
