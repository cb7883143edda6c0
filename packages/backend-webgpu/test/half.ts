import {
  type Backend,
  dispose,
  linear,
  mul,
  randomNormal,
  randomStream,
  reference,
  sum,
  valueAndGrad,
} from '@dit/tensor'
import { expect, type TestFunction } from 'vitest'

type Test = (name: string, run: TestFunction) => void
type Open = (more?: { readonly lossScale: number }) => Promise<Backend>

/** What loss scaling does on a backend in half precision; `backend` gives one that is open, `open` a new one. */
export function testLossScaling(test: Test, backend: () => Backend, open: Open): void {
  test('a gradient of 1e-7 keeps the precision of half numbers, which it loses without loss scaling', async () => {
    const want = await weightGradient(reference(), 1e-7)
    const unscaled = await open({ lossScale: 1 })
    // Half numbers have 11 bits; below 6e-5 they have fewer.
    expect(relativeDistance(await weightGradient(backend(), 1e-7), want)).toBeLessThan(1e-3)
    expect(relativeDistance(await weightGradient(unscaled, 1e-7), want)).toBeGreaterThan(0.05)
    await unscaled.dispose()
  })

  test('a gradient beyond 65504 / lossScale is not cut off, but gives no finite result', async () => {
    // Standard normal draws of 50: the largest is beyond 16, none is beyond 16 when the scale is 1.
    const values = await weightGradient(backend(), 50)
    expect(values.every((value) => Number.isFinite(value))).toBe(false)
    const unscaled = await open({ lossScale: 1 })
    const want = await weightGradient(reference(), 50)
    expect(relativeDistance(await weightGradient(unscaled, 50), want)).toBeLessThan(1e-3)
    await unscaled.dispose()
  })
}

/** Gradient of the weight where the gradient of the result is about `size`. */
export async function weightGradient(on: Backend, size: number): Promise<Float32Array> {
  const draw = (name: string, shape: readonly number[]) => randomNormal(shape, randomStream(1, name), { backend: on })
  const [x, dout] = [draw('x', [16, 32]), draw('dout', [16, 24])]
  on.kernels.affine(dout, size, 0, dout)
  const params = { weight: draw('weight', [24, 32]) }
  const { loss, gradients } = valueAndGrad(params, ({ weight }) => ({ loss: sum(mul(linear(x, weight, null), dout)) }))
  const values = Float32Array.from(await gradients.weight.data())
  dispose([x, dout, params, loss, gradients])
  return values
}

function relativeDistance(a: Float32Array, b: Float32Array): number {
  const norm = (values: Float32Array) => Math.hypot(...values)
  return norm(a.map((value, i) => value - b[i])) / norm(b)
}
