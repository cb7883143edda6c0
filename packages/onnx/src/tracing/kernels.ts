import type { BinaryOp, Kernels, UnaryOp, View } from '@dit/tensor'
import { AmbiguousExtent, DATA_TYPES } from '../graph.js'
import { operationsOf } from '../operations.js'
import type { TracedValues } from './values.js'

/** Number of the type of truth values in the format. */
const BOOL = 9

const UNARY: Partial<Record<UnaryOp, string>> = {
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  abs: 'Abs',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  sin: 'Sin',
  cos: 'Cos',
  relu: 'Relu',
}

const ARITHMETIC: Partial<Record<BinaryOp, string>> = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  maximum: 'Max',
  minimum: 'Min',
}

const COMPARISON: Partial<Record<BinaryOp, string>> = { greater: 'Greater', less: 'Less', equal: 'Equal' }

/** Kernels of @dit/tensor that write operators of ONNX: the required ones, and those for which ONNX has an operator. */
export function kernelsOf({ graph, read, write, fill, fillOf, expand, isDynamic }: TracedValues): Kernels {
  const { add, gelu, mul, scalar, silu, transpose } = operationsOf(graph)
  const node = (...parameters: Parameters<typeof graph.node>) => graph.node(...parameters)
  const typeOf = ({ dtype }: View) => (dtype === 'i32' ? DATA_TYPES.int64 : DATA_TYPES.float)
  const ones = new Map<number, string>()
  const onesOf = (D: number) => {
    const found = ones.get(D) ?? graph.floats(new Float32Array(D).fill(1), [D])
    ones.set(D, found)
    return found
  }
  const backward = (): never => {
    throw new RangeError('denoiserGraph: a block must not compute gradients: a graph has a forward pass only')
  }
  const mixing = (): never => {
    throw new AmbiguousExtent('denoiserGraph: a block must not mix examples: it is given any number of them')
  }

  return {
    fill,
    copy(x, out) {
      const isSame = (x.dtype === 'i32') === (out.dtype === 'i32')
      write(out, isSame ? read(x) : node('Cast', [read(x)], { to: typeOf(out) }))
    },
    unary(op, x, out) {
      const value = read(x)
      const named = UNARY[op]
      const of = () => {
        if (named !== undefined) return node(named, [value])
        if (op === 'gelu') return gelu(value)
        if (op === 'silu') return silu(value)
        return op === 'square' ? mul(value, value) : node('Clip', [value, scalar(0), scalar(6)])
      }
      write(out, of())
    },
    affine(x, scale, offset, out) {
      const scaled = scale === 1 ? read(x) : mul(read(x), scalar(scale))
      write(out, offset === 0 ? scaled : add(scaled, scalar(offset)))
    },
    accumulate(x, y, scale) {
      write(x, add(read(x), scale === 1 ? read(y) : mul(read(y), scalar(scale))))
    },
    binary(op, a, b, out) {
      const arithmetic = ARITHMETIC[op]
      const values = [read(a), read(b)]
      const result =
        arithmetic === undefined
          ? node('Cast', [node(COMPARISON[op]!, values)], { to: typeOf(out) })
          : node(arithmetic, values)
      write(out, isWider(out, [a, b]) ? expand(result, out.shape) : result)
    },
    select(condition, a, b, out) {
      write(out, node('Where', [node('Cast', [read(condition)], { to: BOOL }), read(a), read(b)]))
    },
    sum(x, axes, out) {
      if (axes.some((axis) => isDynamic(x.shape[axis]))) mixing()
      write(out, node('ReduceSum', [read(x), graph.integers(axes)], { keepdims: 1 }))
    },
    matmul(a, b, transposeA, transposeB, out) {
      const turned = (x: View, turn: boolean) => (turn ? transpose(read(x), [0, 2, 1]) : read(x))
      write(out, node('MatMul', [turned(a, transposeA), turned(b, transposeB)]))
    },
    permute(x, axes, out) {
      write(out, transpose(read(x), axes))
    },
    slice(x, starts, out) {
      const cut = starts.map((_, axis) => axis).filter((axis) => x.shape[axis] !== out.shape[axis])
      if (cut.some((axis) => isDynamic(x.shape[axis]))) mixing()
      const [from, to] = [cut.map((axis) => starts[axis]), cut.map((axis) => starts[axis] + out.shape[axis])]
      const name =
        cut.length === 0 ? read(x) : node('Slice', [read(x), ...[from, to, cut].map((each) => graph.integers(each))])
      write(out, name)
    },
    concat(xs, axis, out) {
      if (isDynamic(out.shape[axis]) && xs.length > 1) mixing()
      write(out, node('Concat', xs.map(read), { axis }))
    },
    gather(table, indices, out) {
      write(out, node('Gather', [read(table), read(indices)]))
    },
    softmax(x, out) {
      write(out, node('Softmax', [read(x)], { axis: -1 }))
    },
    linear(x, weight, bias, activation, out) {
      const product = node('Gemm', [x, weight, ...(bias === null ? [] : [bias])].map(read), { transB: 1 })
      write(out, activation === 'gelu' ? gelu(product) : activation === 'silu' ? silu(product) : product)
      return null
    },
    layerNormModulate(x, shift, scale, epsilon, out) {
      const [B, , D] = x.shape
      const perExample = ({ buffer, byteOffset, dtype }: View) => read({ buffer, byteOffset, dtype, shape: [B, 1, D] })
      const normed = node('LayerNormalization', [read(x), onesOf(D)], { axis: -1, epsilon: { float: epsilon } })
      const scaled = mul(normed, add(perExample(scale), scalar(1)))
      write(out, fillOf(shift) === 0 ? scaled : add(scaled, perExample(shift)))
      return null
    },
    unaryBackward: backward,
    scatterAdd: backward,
    softmaxBackward: backward,
    linearBackward: backward,
    layerNormModulateBackward: backward,
  }
}

/** Whether a result has an extent that none of what it is made of has. */
function isWider({ shape }: View, views: readonly View[]): boolean {
  return shape.some((extent, axis) => !views.some((view) => (view.shape.at(axis - shape.length) ?? 1) === extent))
}
