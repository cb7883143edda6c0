import { denoiser } from '@dit/diffusion'
import { ancestral, ddpm, lastStep, type PathVariance } from '@dit/sampler'
import { pathThrough } from '@dit/schedules'
import { concat } from '@dit/tensor'
import { expect, test } from 'vitest'
import { half, twoSteps } from './models.js'
import { expectValues, float, numbers } from '../../diffusion/test/tensors.js'

// alphaBar is 0.64, then 0.36: the levels of `twoSteps`.
const levels = [
  { alpha: 0.6, sigma: 0.8, timestep: 1 },
  { alpha: 0.8, sigma: 0.6, timestep: 0 },
  { alpha: 1, sigma: 0, timestep: 0 },
]

test('is ddpm, on the levels of a Gaussian process', async () => {
  const noise = (index: number) => float([0.5 - index, 2])
  const xT = float([1, -1])
  const expected = await numbers(await lastStep(ddpm(twoSteps, half, xT, { noise, clipDenoised: false })))
  const denoise = denoiser(half, { prediction: 'epsilon' })
  await expectValues(await lastStep(ancestral(pathThrough(levels), denoise, xT, { noise })), expected)
})

test.each<[PathVariance, number, number]>([
  // small = 0.36 / 0.64 (0.64 - 0.5625 0.36), large = 0.64 - 0.5625 0.36 = 0.4375
  ['fixedSmall', 0, (0.36 / 0.64) * 0.4375],
  ['fixedLarge', 0, 0.4375],
  ['learned', 0.3, 0.3],
  ['learnedRange', 1, 0.4375],
  ['learnedRange', -1, (0.36 / 0.64) * 0.4375],
])('%s by hand, output %d', async (variance, output, expected) => {
  const path = pathThrough(levels.slice(0, 2))
  const predict = (xt: Parameters<typeof half>[0]) => concat([half(xt, Int32Array.of(1)), float([output])], 1)
  const denoise = denoiser(predict, { prediction: 'epsilon', outputsPerChannel: 2 })
  const run = (draw: number) => lastStep(ancestral(path, denoise, float([1]), { variance, noise: () => float([draw]) }))
  const [[with1], [with0]] = [await numbers(await run(1)), await numbers(await run(0))]
  expect((with1 - with0) ** 2).toBeCloseTo(expected, 12)
})

test('refuses a variance that nobody predicts', async () => {
  const denoise = denoiser(half, { prediction: 'epsilon' })
  const run = (variance: string) =>
    ancestral(pathThrough(levels), denoise, float([1]), { seed: 0, variance: variance as 'learned' })
  expect(() => run('none')).toThrow(
    'ancestral: variance must be fixedSmall, fixedLarge, learned or learnedRange (got none)',
  )
  await expect(lastStep(run('learned'))).rejects.toThrow('variance learned needs a denoiser with outputsPerChannel 2')
})
