import { emptyGradient } from '../autograd/destinations.js'
import { isTracked, record } from '../autograd/tape.js'
import type { Activation } from '../backend.js'
import { isHalf } from '../dtype.js'
import { scope } from '../scope.js'
import { sameShape } from '../shape.js'
import { commonBackend, empty, type Tensor } from '../tensor.js'
import { add } from './binary.js'
import { checkFloats } from './check-floats.js'
import { batchedMatmul } from './matmul.js'
import { misfit } from './misfit.js'
import { rowsOf } from './rows-of.js'
import { reshape } from './shape.js'
import { gelu, silu } from './unary.js'

export interface LinearOptions {
  readonly activation?: Activation
}

/**
 * activation(x W^T + bias) over the last axis.
 *
 * @param x      `[..., K]`
 * @param weight `[O, K]`, as in a PyTorch state dict; in f16 or bf16 for inference, on engines that have it
 * @param bias   `[O]`, or null
 * @returns `[..., O]`
 * @throws RangeError when the extents do not fit
 * @throws TypeError when a gradient is asked for through a weight in half precision
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  { activation = 'none' }: LinearOptions = {},
): Tensor {
  commonBackend('linear', bias === null ? [x, weight] : [x, weight, bias])
  const width = x.shape.at(-1)
  if (
    weight.shape.length !== 2 ||
    weight.shape[1] !== width ||
    (bias !== null && !sameShape(bias.shape, [weight.shape[0]]))
  ) {
    throw misfit(
      'linear: weight must be [O, K] and bias [O] for x [..., K]',
      bias === null ? [x, weight] : [x, weight, bias],
    )
  }
  const inputs = bias === null ? [x, weight] : [x, weight, bias]
  const isHeld = isHalf(weight.dtype)
  checkFloats('linear', isHeld ? inputs.toSpliced(1, 1) : inputs)
  if (isHeld && inputs.some(isTracked)) {
    throw new TypeError(`linear: a weight in ${weight.dtype} is for inference; gradients need it in ${x.dtype}`)
  }
  if (x.backend.kernels.linear !== undefined) return fused(x, weight, bias, activation)
  return scope(() => {
    const out = composed(reshape(x, rowsOf(x).shape), weight, bias, activation)
    return reshape(out, [...x.shape.slice(0, -1), weight.shape[0]])
  })
}

function composed(x: Tensor, weight: Tensor, bias: Tensor | null, activation: Activation): Tensor {
  const product = batchedMatmul(x, weight, false, true)
  const shifted = bias === null ? product : add(product, bias)
  return activation === 'gelu' ? gelu(shifted) : activation === 'silu' ? silu(shifted) : shifted
}

function fused(x: Tensor, weight: Tensor, bias: Tensor | null, activation: Activation): Tensor {
  const parameters = bias === null ? [weight] : [weight, bias]
  const backend = commonBackend('linear', [x, ...parameters])
  const inputs = [x, ...parameters]
  const needs = inputs.map(isTracked)
  const out = empty(backend, [...x.shape.slice(0, -1), weight.shape[0]], x.dtype)
  const saved = backend.kernels.linear!(rowsOf(x), weight, bias, activation, rowsOf(out), needs.includes(true))
  record({
    name: 'linear',
    inputs,
    outputs: [out],
    saves: needs.includes(true) ? [x, weight] : [],
    backward: ([dout]) => {
      const outputs = inputs.map((input, i) => (needs[i] ? emptyGradient(input) : null))
      const [dx, dweight, dbias = null] = outputs
      backend.kernels.linearBackward!(rowsOf(x), weight, activation, saved, rowsOf(dout!), {
        dx: dx && rowsOf(dx),
        dweight,
        dbias,
      })
      return outputs
    },
    release: () => saved?.dispose(),
  })
  return out
}
