import { normals, randomStream } from '@dit/random'
import {
  add,
  mul,
  type Params,
  reference,
  scope,
  type Shape,
  sizeOf,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
} from '@dit/tensor'
import { expect } from 'vitest'

export const backend = reference()

/** Standard normal values in float64. */
export function draw(label: string, shape: Shape, scale = 1, offset = 0): Tensor {
  const values = Float64Array.from(normals(randomStream(5, label), sizeOf(shape)), (z) => offset + scale * z)
  return tensor(values, shape, { backend })
}

/** Values of a tensor as plain numbers. */
export async function numbers(x: Tensor): Promise<number[]> {
  return [...(await x.data())]
}

/**
 * Gradients of sum(weights * fn(inputs)) on the tape against central differences in float64.
 *
 * With h = 1e-5 the difference quotient has a truncation error of about h^2 = 1e-10 and a rounding error of about
 * 2^-53 / h = 1e-11, relative to values near 1; 1e-7 leaves room for sums of a few hundred terms and third derivatives near 10.
 */
export async function checkGradients(
  inputs: Params,
  fn: (inputs: Params) => Tensor | readonly Tensor[],
): Promise<void> {
  const loss = (tensors: Params): Tensor => {
    const outs = [fn(tensors)].flat()
    return outs.map((out, i) => sum(mul(out, draw(`weights ${i}`, out.shape)))).reduce(add)
  }
  const before = backend.memory().buffers
  const { loss: value, gradients } = valueAndGrad(inputs, (tensors) => ({ loss: loss(tensors) }))
  value.dispose()
  const h = 1e-5
  for (const [name, input] of Object.entries(inputs)) {
    const start = await input.data()
    const numeric: number[] = []
    for (let i = 0; i < start.length; i++) {
      const at = async (value: number) => {
        const moved = tensor(start.with(i, value), input.shape, { backend })
        const result = scope(() => loss({ ...inputs, [name]: moved }))
        const [number] = await result.data()
        moved.dispose()
        result.dispose()
        return number
      }
      numeric.push(((await at(start[i] + h)) - (await at(start[i] - h))) / (2 * h))
    }
    const got = await numbers(gradients[name])
    gradients[name].dispose()
    const scale = Math.max(1, ...numeric.map(Math.abs))
    for (const [i, want] of numeric.entries()) {
      expect(Math.abs(got[i] - want), `gradient of ${name}[${i}]: ${got[i]} against ${want}`).toBeLessThan(1e-7 * scale)
    }
  }
  expect(backend.memory().buffers).toBe(before)
}
