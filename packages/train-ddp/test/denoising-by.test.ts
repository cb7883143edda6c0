import { gaussianProcess } from '@dit/diffusion'
import type { Communicator } from '@dit/collectives'
import { reference } from '@dit/tensor'
import { expect, test } from 'vitest'
import { localCommunicators } from '../../../test/support/local-communicators.js'
import { classConditional, denoisingBy, dit, flowDenoising, type TrainOptions } from '../src/index.js'
import { losses, run, tinyData, tinyModel, tinyRecipe } from './setting.js'

const base: Omit<TrainOptions, 'objective'> = {
  recipe: tinyRecipe,
  data: tinyData(),
  backend: reference(),
  seed: 0,
  steps: 4,
}

test('a Gaussian process trains to the bit as denoising does', async () => {
  const before = losses(await run({ ...base, objective: classConditional(tinyModel) }))
  const network = dit(tinyModel)
  expect(
    losses(await run({ ...base, objective: denoisingBy(network, gaussianProcess(), { kind: 'gaussian' }) })),
  ).toEqual(before)
})

test('a flow is learned', async () => {
  const objective = flowDenoising(dit(tinyModel), { times: { law: 'logitNormal' } })
  const all = losses(
    await run({ ...base, objective, steps: 120, recipe: { ...tinyRecipe, batchSize: 8 }, data: tinyData(8) }),
  )
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length
  expect(mean(all.slice(-20))).toBeLessThan(0.6 * mean(all.slice(0, 5)))
})

test('a flow trains the same on two workers', async () => {
  const objective = flowDenoising(dit(tinyModel), { networkTime: 'towardsData' })
  const one = losses(await run({ ...base, objective }))
  const each = await Promise.all(
    localCommunicators(2).map(async (communicator: Communicator) =>
      losses(await run({ ...base, objective, communicator })),
    ),
  )
  each[0].forEach((loss, i) => expect(loss).toBeCloseTo(one[i], 10))
})

test('its spec holds all settings as plain data', () => {
  const { spec, settings } = flowDenoising(dit(tinyModel))
  expect(JSON.parse(JSON.stringify(spec))).toMatchObject({
    kind: 'denoisingBy',
    network: { kind: 'dit' },
    process: { kind: 'flow', prediction: 'velocity', flow: { interpolant: 'linear' }, outputsPerChannel: 2 },
  })
  expect(settings.times).toEqual({ law: 'uniform' })
})

test('refuses networks that do not fit', () => {
  expect(() => flowDenoising(dit(tinyModel), { outputsPerChannel: 1 })).toThrow(
    'denoisingBy: the network must have 1 output channels for each input channel (it has 2)',
  )
  const whole = { ...dit(tinyModel), knowsWholeTimestepsOnly: true }
  expect(() => flowDenoising(whole)).toThrow('denoisingBy: the network knows whole timesteps only')
})
