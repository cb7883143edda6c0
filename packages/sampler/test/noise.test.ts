import { gaussianProcess } from '@dit/diffusion'
import { normals, randomStream } from '@dit/random'
import { concat, slice, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { ddim, ddpm, lastStep, startNoise } from '../src/index.js'
import { half } from './models.js'
import { draws, expectValues, float, numbers } from '../../diffusion/test/tensors.js'

const process = gaussianProcess({ respacing: '4', varianceType: 'fixedLarge' })
const { diffusion } = process
const denoise = process.denoiser(half)
const shape = [3, 2, 2, 2]

test('starts from the stream of its seed', async () => {
  const noise = startNoise(shape, { seed: 5 })
  expect(noise.shape).toEqual(shape)
  await expectValues(noise, [...normals(randomStream(5, 'sampler', 'start'), 24)], 0)
})

test('numbers its draws by sample, not by batch', async () => {
  const whole = startNoise(shape, { seed: 5 })
  const parts = [startNoise([1, 2, 2, 2], { seed: 5 }), startNoise([2, 2, 2, 2], { seed: 5, firstSample: 1 })]
  await expectValues(concat(parts, 0), await numbers(whole), 0)
})

test.each(['ddpm', 'ddim'] as const)('gives the same samples in batches of any size by %s', async (method) => {
  const run = async (xT: Tensor, firstSample: number) =>
    method === 'ddpm'
      ? lastStep(ddpm(diffusion, half, xT, { seed: 5, firstSample }))
      : lastStep(ddim(process.path(), denoise, xT, { seed: 5, firstSample, eta: 1 }))
  const xT = draws(shape, 'xT')
  const whole = await numbers(await run(xT, 0))
  const parts = [await run(slice(xT, 0, 0, 2), 0), await run(slice(xT, 0, 2, 1), 2)]
  await expectValues(concat(parts, 0), whole, 0)
})

test('gives other samples for another seed', async () => {
  const xT = draws(shape, 'xT')
  const [a, b] = [
    await lastStep(ddpm(diffusion, half, xT, { seed: 1 })),
    await lastStep(ddpm(diffusion, half, xT, { seed: 2 })),
  ]
  expect(await numbers(a)).not.toEqual(await numbers(b))
})

test('asks a noise function once per step, in order, also where the draw does not matter', async () => {
  const xT = draws(shape, 'xT')
  for (const method of ['ddpm', 'ddim']) {
    const asked: number[] = []
    const noise = (index: number, of: readonly number[]) => {
      asked.push(index)
      expect(of).toEqual(shape)
      return draws(shape, index)
    }
    await lastStep(
      method === 'ddpm' ? ddpm(diffusion, half, xT, { noise }) : ddim(process.path(), denoise, xT, { noise }),
    )
    expect(asked).toEqual([0, 1, 2, 3])
  }
})

test('refuses sources that are none, or two', () => {
  const xT = float([0])
  const start = (options: object) => () => ddpm(diffusion, half, xT, options as { seed: number })
  expect(start({})).toThrow(new TypeError('ddpm: a seed or a noise function is needed (got neither)'))
  expect(start({ seed: 0, noise: () => xT })).toThrow(
    new TypeError('ddpm: give either a seed or a noise function (got both)'),
  )
  expect(start({ seed: -1 })).toThrow(new RangeError('randomStream: seed must be a non-negative safe integer (got -1)'))
  expect(start({ seed: 0, firstSample: 0.5 })).toThrow(
    new RangeError('ddpm: firstSample must be a non-negative integer (got 0.5)'),
  )
  expect(() => ddim(process.path(), denoise, xT, { eta: 1 })).toThrow(
    new TypeError('ddim: a seed or a noise function is needed (got neither)'),
  )
  expect(() => startNoise([], { seed: 0 })).toThrow(new RangeError('startNoise: shape must be [B, ...] (got [])'))
})

test('refuses noise of another shape', async () => {
  await expect(lastStep(ddpm(diffusion, half, float([0]), { noise: () => float([0, 1]) }))).rejects.toThrow(
    new RangeError('ddpm: noise must have the shape of xt (got [1, 1, 1, 2] and [1, 1, 1, 1])'),
  )
})
