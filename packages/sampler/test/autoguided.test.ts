import { denoiser } from '@dit/diffusion'
import { affine, concat, dispose, tensor, type Tensor } from '@dit/tensor'
import { backend } from '../../diffusion/test/tensors.js'
import { expect, test } from 'vitest'
import { autoguided, autoguidedPredict, guided } from '../src/index.js'

const x = tensor([1, -2], [1, 2, 1, 1])
const level = { alpha: 0.6, sigma: 0.8, timestep: 5 }
const scaled = (factor: number) => (xt: Tensor) => affine(xt, factor)

test('takes the difference of both models further', async () => {
  const denoise = autoguided(denoiser(scaled(2), { prediction: 'x0' }), denoiser(scaled(1), { prediction: 'x0' }), {
    scale: 3,
  })
  const { x0, noise } = denoise(x, level)
  expect(await x0.data()).toEqual(Float64Array.of(4, -8))
  // The two parts still make xt.
  const [clean, drawn] = [await x0.data(), await noise.data()]
  for (const [i, value] of (await x.data()).entries()) expect(0.6 * clean[i] + 0.8 * drawn[i]).toBeCloseTo(value, 12)
})

test('does not run the weak model with a scale of 1', () => {
  const never = (): never => {
    throw new Error('was run')
  }
  const strong = denoiser(scaled(2), { prediction: 'x0' })
  expect(autoguided(strong, never, { scale: 1 })).toBe(strong)
  expect(() => autoguided(strong, never, { scale: 2 })(x, level)).toThrow('was run')
  const predict = scaled(2)
  expect(autoguidedPredict(predict, never, { scale: 1 })).toBe(predict)
})

test('keeps the variance channels of the strong model, whether the weak one has any or not', async () => {
  const strong = (xt: Tensor) => concat([affine(xt, 2), affine(xt, 7)], 1)
  for (const weak of [scaled(1), (xt: Tensor) => concat([xt, affine(xt, 9)], 1)]) {
    const output = autoguidedPredict(strong, weak, { scale: 3 })(x, Int32Array.of(5))
    expect(await output.data()).toEqual(Float64Array.of(4, -8, 7, -14))
  }
})

test('with the unconditional model it is classifier-free guidance', async () => {
  const model = (_: Tensor, __: ArrayLike<number>, [asked, none]: Int32Array) =>
    concat([affine(x, asked), affine(x, none)], 0)
  const free = guided(model, { labels: [3], nullLabel: 1, scale: 4 })(x, Int32Array.of(5))
  const auto = autoguidedPredict(scaled(3), scaled(1), { scale: 4 })(x, Int32Array.of(5))
  expect(await auto.data()).toEqual(await free.data())
})

test('leaves no buffers behind but the output', () => {
  const before = backend.memory().buffers
  dispose(autoguidedPredict(scaled(3), scaled(1), { scale: 4 })(x, Int32Array.of(5)))
  expect(backend.memory().buffers).toBe(before)
})

test('refuses a scale that is no number', () => {
  const denoise = denoiser(scaled(1), { prediction: 'x0' })
  expect(() => autoguided(denoise, denoise, { scale: Number.NaN })).toThrow(
    'autoguided: scale must be a finite number (got NaN)',
  )
  expect(() => autoguidedPredict(scaled(1), scaled(1), { scale: Infinity })).toThrow('autoguidedPredict: scale')
})
