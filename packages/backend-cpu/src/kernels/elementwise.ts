import {
  type BinaryOp,
  type RequiredKernels,
  sizeOf,
  type UnaryOp,
  type View,
  mergedWalk,
  stretchedStrides,
} from '@dit/tensor'
import type { Engine } from '../engine.js'
import { addressOf } from '../memory.js'
import { walkArguments } from '../walk-arguments.js'

type Elementwise = Pick<
  RequiredKernels,
  'fill' | 'copy' | 'unary' | 'unaryBackward' | 'affine' | 'accumulate' | 'binary' | 'select'
>

/** In the order of the tables in csrc/elementwise.c. */
const unaryOps: readonly UnaryOp[] = [
  'exp',
  'log',
  'sqrt',
  'square',
  'abs',
  'tanh',
  'sigmoid',
  'silu',
  'gelu',
  'sin',
  'cos',
  'relu',
  'relu6',
]

/** In the order of the enumeration in csrc/broadcast.c. */
const binaryOps: readonly BinaryOp[] = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'greater', 'less', 'equal']

export function elementwiseKernels({ call }: Engine): Elementwise {
  return {
    fill(out, value) {
      call(out.dtype === 'i32' ? 'fill_int' : 'fill', addressOf(out), sizeOf(out.shape), value)
    },
    copy(x, out) {
      const kernel = x.dtype === out.dtype ? 'copy' : out.dtype === 'i32' ? 'float_to_int' : 'int_to_float'
      call(kernel, addressOf(x), addressOf(out), sizeOf(out.shape))
    },
    unary(op, x, out) {
      call('unary', unaryOps.indexOf(op), addressOf(x), addressOf(out), sizeOf(out.shape))
    },
    unaryBackward(op, x, dy, dx) {
      call('unary_backward', unaryOps.indexOf(op), addressOf(x), addressOf(dy), addressOf(dx), sizeOf(dx.shape))
    },
    affine(x, scale, offset, out) {
      call('affine', addressOf(x), addressOf(out), sizeOf(out.shape), scale, offset)
    },
    accumulate(x, y, scale) {
      call('accumulate', addressOf(x), addressOf(y), sizeOf(x.shape), scale)
    },
    binary(op, a, b, out) {
      if (sizeOf(out.shape) === 0) return
      const walk = stretched('binary', [a, b], out)
      call('binary', binaryOps.indexOf(op), addressOf(a), addressOf(b), addressOf(out), ...walk)
    },
    select(condition, a, b, out) {
      if (sizeOf(out.shape) === 0) return
      const walk = stretched('select', [condition, a, b], out)
      const isFloat = condition.dtype === 'i32' ? 0 : 1
      call('select', addressOf(condition), isFloat, addressOf(a), addressOf(b), addressOf(out), ...walk)
    },
  }
}

function stretched(caller: string, operands: readonly View[], out: View): number[] {
  const strides = operands.map(({ shape }) => stretchedStrides(shape, out.shape))
  return walkArguments(mergedWalk(caller, { shape: out.shape, strides }))
}
