import { randomNormal, randomStream, reference, useBackend } from '@dit/tensor'
import { resamplePositions, sincosPositions } from '@dit/tokenizer'
import { expect, test } from 'vitest'
import { type DiTConfig, forward, initParams, withInputSize } from '../src/index.js'
import { randomInputs, randomParams, TINY } from './tiny.js'

const backend = await useBackend(reference())
const LEARNED: DiTConfig = { ...TINY, positions: 'learned' }
const float32 = (values: ArrayLike<number>) => Float32Array.from(values)

test('runs another aspect ratio with the same weights', async () => {
  const params = randomParams(TINY)
  const wide = withInputSize(TINY, params, [4, 6])
  expect(wide.config).toEqual({ ...TINY, inputSize: [4, 6] })
  expect(wide.params.pos_embed.shape).toEqual([1, 6, 8])
  const { pos_embed: _, ...shared } = params
  expect(wide.params).toMatchObject(shared)
  const xt = randomNormal([1, 2, 4, 6], randomStream(1))
  const out = forward(wide.config, wide.params, { xt, timesteps: [3], labels: [1] })
  expect(out.shape).toEqual([1, 4, 4, 6])
  expect((await out.data()).every(Number.isFinite)).toBe(true)
})

test('spreads or extends sine-cosine positions', async () => {
  const params = initParams(TINY)
  const scaled = withInputSize(TINY, params, 8).params.pos_embed
  expect(float32(await scaled.data())).toEqual(sincosPositions(8, [4, 4], { trainedGrid: [2, 2] }))
  const extended = withInputSize(TINY, params, 8, { positions: 'extended' }).params.pos_embed
  expect(float32(await extended.data())).toEqual(sincosPositions(8, [4, 4]))
})

test.each(['bicubic', 'bilinear'] as const)('resamples the stored table (%s)', async (positions) => {
  const params = randomParams(LEARNED)
  const { pos_embed } = withInputSize(LEARNED, params, 8, { positions }).params
  const want = resamplePositions(params.pos_embed, [2, 2], [4, 4], { method: positions })
  expect(pos_embed.shape).toEqual([1, 16, 8])
  expect(await pos_embed.data()).toEqual(await want.data())
})

test('resamples learned positions by default', async () => {
  const params = randomParams(LEARNED)
  const [byDefault, bicubic] = await Promise.all([
    withInputSize(LEARNED, params, 8).params.pos_embed.data(),
    withInputSize(LEARNED, params, 8, { positions: 'bicubic' }).params.pos_embed.data(),
  ])
  expect(byDefault).toEqual(bicubic)
})

test.each([TINY, LEARNED])('changes nothing at the size of training', async (config) => {
  const params = initParams(config)
  const inputs = randomInputs(config, 1)
  const before = backend.memory().buffers
  const same = withInputSize(config, params, [4, 4])
  expect(backend.memory().buffers).toBe(before + 1)
  expect(await same.params.pos_embed.data()).toEqual(await params.pos_embed.data())
  expect(await forward(same.config, same.params, inputs).data()).toEqual(await forward(config, params, inputs).data())
})

test('rejects sizes that do not divide and ways that do not suit', () => {
  const params = randomParams(TINY)
  expect(() => withInputSize(TINY, params, [4, 5])).toThrow(
    new RangeError('DiTConfig: inputSize must be positive multiples of patchSize 2 (got [4, 5])'),
  )
  expect(() => withInputSize(LEARNED, params, 8, { positions: 'scaled' })).toThrow(
    'withInputSize: learned positions must be resampled, bicubic or bilinear (got scaled)',
  )
  expect(() => withInputSize(TINY, params, 8, { positions: 'nearest' as 'scaled' })).toThrow(
    'withInputSize: positions must be scaled, extended, bicubic or bilinear (got nearest)',
  )
})
