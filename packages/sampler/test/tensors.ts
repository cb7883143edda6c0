import { randomNormal, randomStream, reference, type Shape, type Tensor, tensor, useBackend } from '@dit/tensor'
import { expect } from 'vitest'

export const backend = await useBackend(reference())

/** Float tensor; one sample of one channel in a row by default. */
export function float(values: ArrayLike<number>, shape: Shape = [1, 1, 1, values.length]): Tensor {
  return tensor(Float64Array.from(values), shape)
}

/** Standard normal draws of a stream of the tests. */
export function draws(shape: Shape, ...path: (string | number)[]): Tensor {
  return randomNormal(shape, randomStream(0, 'test', ...path))
}

/** All values, in float64. */
export async function numbers(x: Tensor): Promise<number[]> {
  return [...(await x.data())]
}

/** Equal but for the rounding of a few float64 operations on numbers of that size. */
export async function expectValues(x: Tensor, expected: readonly number[], rounding = 1e-12): Promise<void> {
  const actual = await numbers(x)
  expect(actual).toHaveLength(expected.length)
  for (const [i, value] of actual.entries()) {
    expect(Math.abs(value - expected[i]), `value ${i}: ${value} against ${expected[i]}`).toBeLessThanOrEqual(
      rounding * Math.max(1, Math.abs(expected[i])),
    )
  }
}

/** How many buffers `fn` leaves behind. */
export async function buffersLeft(fn: () => unknown): Promise<number> {
  const before = backend.memory().buffers
  await fn()
  return backend.memory().buffers - before
}
