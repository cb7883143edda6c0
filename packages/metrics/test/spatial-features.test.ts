import { expect, test } from 'vitest'
import { spatialFeatures } from '../src/spatial-features.js'

const ramp = (...shape: number[]) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
})

test('takes the first channels of each place, in the order H, W, C', () => {
  const { shape, data } = spatialFeatures(ramp(2, 1, 2, 3), { channels: 2 })
  expect(shape).toEqual([2, 4])
  expect([...data]).toEqual([0, 1, 3, 4, 6, 7, 9, 10])
})

test('the same from channels first', () => {
  // Channel 0 is 0, 1; channel 1 is 2, 3; channel 2 is left out.
  expect([...spatialFeatures(ramp(1, 3, 1, 2), { channels: 2, layout: 'NCHW' }).data]).toEqual([0, 2, 1, 3])
})

test('of 17 x 17 x 768 are 2023 numbers', () => {
  expect(spatialFeatures({ shape: [1, 17, 17, 768], data: new Float32Array(17 * 17 * 768) }).shape).toEqual([1, 2023])
})

test('refuses other axes, layouts and channels', () => {
  expect(() => spatialFeatures(ramp(2, 3))).toThrow('spatialFeatures: maps must have four axes (NHWC)')
  expect(() => spatialFeatures(ramp(1, 2, 2, 3))).toThrow('channels must be in 1 .. 3, what the maps have; it is 7')
  expect(() => spatialFeatures(ramp(1, 2, 2, 7), { layout: 'HWC' as 'NHWC' })).toThrow(
    'must be NHWC or NCHW; it is HWC',
  )
})
