import { record, isTracked } from '../autograd/tape.js'
import type { UnaryOp } from '../backend.js'
import { type DType, isFloat } from '../dtype.js'
import { empty, type Tensor } from '../tensor.js'
import { checkFloats, refuseHalves } from './check-floats.js'

function unary(op: UnaryOp, x: Tensor): Tensor {
  checkFloats(op, [x])
  const { backend } = x
  const out = empty(backend, x.shape, x.dtype)
  backend.kernels.unary(op, x, out)
  record({
    name: op,
    inputs: [x],
    outputs: [out],
    saves: isTracked(x) ? [x] : [],
    backward: ([dy]) => {
      const dx = empty(backend, x.shape, x.dtype)
      backend.kernels.unaryBackward(op, x, dy!, dx)
      return [dx]
    },
  })
  return out
}

/** e^x */
export const exp = (x: Tensor): Tensor => unary('exp', x)
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => unary('log', x)
export const sqrt = (x: Tensor): Tensor => unary('sqrt', x)
export const square = (x: Tensor): Tensor => unary('square', x)
/** Absolute value; its gradient at 0 is 0. */
export const abs = (x: Tensor): Tensor => unary('abs', x)
export const tanh = (x: Tensor): Tensor => unary('tanh', x)
/** 1 / (1 + e^-x) */
export const sigmoid = (x: Tensor): Tensor => unary('sigmoid', x)
export const sin = (x: Tensor): Tensor => unary('sin', x)
export const cos = (x: Tensor): Tensor => unary('cos', x)
/** x * sigmoid(x), also called swish. Hendrycks & Gimpel 2016; Ramachandran et al. 2017. */
export const silu = (x: Tensor): Tensor => unary('silu', x)
/** 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), the tanh approximation of Hendrycks & Gimpel 2016. */
export const gelu = (x: Tensor): Tensor => unary('gelu', x)
/** max(x, 0); its gradient at 0 is 0. */
export const relu = (x: Tensor): Tensor => unary('relu', x)
/** min(max(x, 0), 6); its gradient at 0 and at 6 is 0. Krizhevsky 2010. */
export const relu6 = (x: Tensor): Tensor => unary('relu6', x)

/**
 * scale * x + offset, element by element.
 */
export function affine(x: Tensor, scale: number, offset = 0): Tensor {
  checkFloats('affine', [x])
  const { backend } = x
  const out = empty(backend, x.shape, x.dtype)
  backend.kernels.affine(x, scale, offset, out)
  record({
    name: 'affine',
    inputs: [x],
    outputs: [out],
    backward: ([dy]) => {
      const dx = empty(backend, x.shape, x.dtype)
      backend.kernels.affine(dy!, scale, 0, dx)
      return [dx]
    },
  })
  return out
}

/** -x */
export const neg = (x: Tensor): Tensor => affine(x, -1)

/**
 * The same values in another element type; to i32 they are truncated towards zero. Gradients pass between float types.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  refuseHalves('cast', [x])
  const { backend } = x
  const out = empty(backend, x.shape, dtype)
  backend.kernels.copy(x, out)
  if (isFloat(x.dtype) && isFloat(dtype)) {
    record({ name: 'cast', inputs: [x], outputs: [out], backward: ([dy]) => [cast(dy!, x.dtype)] })
  }
  return out
}
