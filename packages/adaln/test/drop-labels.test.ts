import { randomStream, uniforms } from '@dit/random'
import { expect, test } from 'vitest'
import { dropLabels } from '../src/drop-labels.js'
import { readFixture } from './fixture.js'

const NULL_LABEL = 10

test('drops strictly below the probability', () => {
  const draws = [0.0, 0.0999, 0.25, 0.2499, 0.9]
  expect([...dropLabels([1, 2, 3, 4, 5], { nullLabel: NULL_LABEL, probability: 0.25, uniforms: draws })]).toEqual([
    10, 10, 3, 10, 5,
  ])
})

test('compares as float32: a draw equal to the rounded probability stays', () => {
  const uniforms = Float32Array.of(0.7) // below 0.7 in float64
  expect([...dropLabels([1], { nullLabel: NULL_LABEL, probability: 0.7, uniforms })]).toEqual([1])
})

test('drops nothing at probability 0 and everything at 1', () => {
  const options = { nullLabel: NULL_LABEL, stream: randomStream(1, 'dropout') }
  expect([...dropLabels([1, 2, 3], { ...options, probability: 0 })]).toEqual([1, 2, 3])
  expect([...dropLabels([1, 2, 3], { ...options, probability: 1 })]).toEqual([10, 10, 10])
})

test('takes one draw of the stream per sample, however the batch is divided', () => {
  const labels = Int32Array.from({ length: 64 }, (_, i) => i % 5)
  const stream = randomStream(7, 'dropout', 3)
  const options = { nullLabel: NULL_LABEL, probability: 0.3, stream }
  const whole = dropLabels(labels, options)
  expect(whole).toEqual(dropLabels(labels, { nullLabel: NULL_LABEL, probability: 0.3, uniforms: uniforms(stream, 64) }))
  const halves = [dropLabels(labels.slice(0, 20), options), dropLabels(labels.slice(20), { ...options, start: 20 })]
  expect([...halves[0], ...halves[1]]).toEqual([...whole])
  const dropped = whole.filter((label) => label === NULL_LABEL).length
  expect(dropped).toBeGreaterThan(9) // 64 draws at 0.3: 19.2 on average, deviation 3.7
  expect(dropped).toBeLessThan(30)
})

test('forces drops without draws, and only for the value 1', () => {
  expect([...dropLabels([1, 2, 3, 4], { nullLabel: NULL_LABEL, force: [0, 1, 2, -1] })]).toEqual([1, 10, 3, 4])
})

test('lets the flags decide alone', () => {
  const options = { nullLabel: NULL_LABEL, probability: 1, uniforms: [0, 0], force: [0, 1] }
  expect([...dropLabels([1, 2], options)]).toEqual([1, 10])
})

test('changes nothing without draws and flags, and never its input', () => {
  const labels = Int32Array.of(4, 2)
  expect(dropLabels(labels, { nullLabel: NULL_LABEL, probability: 1 })).toEqual(labels)
  dropLabels(labels, { nullLabel: NULL_LABEL, force: [1, 1] })
  expect([...labels]).toEqual([4, 2])
})

test('agrees with the reference implementation', () => {
  const fixture = readFixture('labels')
  const dropped = dropLabels(fixture.get('in.y')!, {
    nullLabel: 6,
    probability: 0.25,
    uniforms: fixture.get('in.u')!,
  })
  expect(dropped).toEqual(fixture.get('out.dropped'))
})

test('rejects what does not fit', () => {
  expect(() => dropLabels([1, 2], { nullLabel: 3, probability: 0.1, uniforms: [0.5] })).toThrow(
    new RangeError('dropLabels: uniforms must have one entry per label, 2 (got 1)'),
  )
  expect(() => dropLabels([1, 2], { nullLabel: 3, force: [1] })).toThrow('force must have one entry per label, 2')
  expect(() => dropLabels([1, 4], { nullLabel: 3 })).toThrow('labels must be integers in 0..3 (labels[1] is 4)')
  expect(() => dropLabels([0.5], { nullLabel: 3 })).toThrow('labels[0] is 0.5')
  expect(() => dropLabels([1], { nullLabel: 3, probability: 1.5 })).toThrow('probability must be in 0..1 (got 1.5)')
  expect(() => dropLabels([1], { nullLabel: -1 })).toThrow('nullLabel must be a non-negative integer (got -1)')
  expect(() => dropLabels([1], { nullLabel: 3, uniforms: [0], stream: randomStream(0) })).toThrow(
    new TypeError('dropLabels: give uniforms or a stream, not both'),
  )
})
