import { adamw, type AdamWStep, tensor, updateEma, zeros } from '@dit/tensor'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { backend, draw, numbers } from '../check-gradients.js'

interface Fixture {
  readonly start: readonly number[]
  readonly steps: readonly { gradient: number[]; parameter: number[]; ema: number[] }[]
  readonly m: readonly number[]
  readonly v: readonly number[]
}

const fixture = JSON.parse(readFileSync(new URL('../fixtures/adamw.json', import.meta.url), 'utf8')) as Fixture

const hyper: AdamWStep = {
  learningRate: 0.1,
  beta1: 0.5,
  beta2: 0.75,
  epsilon: 0,
  weightDecay: 0,
  step: 1,
  gradientScale: 1,
  emaDecay: 0.5,
}

const scalar = (value: number) => tensor([value], [1], { backend })

function stateOf(parameter: number, gradient: number, ema: number | null = null) {
  return {
    parameter: scalar(parameter),
    gradient: scalar(gradient),
    m: scalar(0),
    v: scalar(0),
    ema: ema === null ? null : scalar(ema),
  }
}

test('two steps by hand', async () => {
  const state = stateOf(1, 4, 3)
  adamw(state, hyper)
  // m = 2, v = 4; both corrected give 4 and 16, so the step is 0.1 * 4 / 4
  expect([await numbers(state.m), await numbers(state.v)]).toEqual([[2], [4]])
  expect((await numbers(state.parameter))[0]).toBeCloseTo(0.9, 14)
  expect((await numbers(state.ema!))[0]).toBeCloseTo(1.95, 14)
  adamw({ ...state, gradient: scalar(-1) }, { ...hyper, step: 2 })
  // m = 1 - 0.5 = 0.5 over 1 - 1/4; v = 3 + 0.25 = 3.25 over 1 - 9/16
  const step = (0.1 * (0.5 / 0.75)) / Math.sqrt(3.25 / 0.4375)
  expect((await numbers(state.parameter))[0]).toBeCloseTo(0.9 - step, 14)
})

test('the first step has the size of the learning rate, whatever the gradient', async () => {
  for (const gradient of [1e-6, -1, 1e6]) {
    const state = stateOf(0, gradient)
    adamw(state, hyper)
    expect((await numbers(state.parameter))[0]).toBeCloseTo(-0.1 * Math.sign(gradient), 14)
  }
})

test('weight decay is decoupled: it does not pass through the moments', async () => {
  const state = stateOf(2, 0)
  adamw(state, { ...hyper, epsilon: 1e-8, weightDecay: 0.5 })
  expect(await numbers(state.parameter)).toEqual([1.9])
  expect([await numbers(state.m), await numbers(state.v)]).toEqual([[0], [0]])
})

test('epsilon is added to the corrected root', async () => {
  const state = stateOf(0, 4)
  adamw(state, { ...hyper, epsilon: 4 })
  expect((await numbers(state.parameter))[0]).toBeCloseTo((-0.1 * 4) / (4 + 4), 14)
})

test('gradientScale multiplies the gradient first, and leaves the tensor alone', async () => {
  const [scaled, plain] = [stateOf(1, 8), stateOf(1, 2)]
  adamw(scaled, { ...hyper, gradientScale: 0.25 })
  adamw(plain, hyper)
  expect([await numbers(scaled.m), await numbers(scaled.v)]).toEqual([await numbers(plain.m), await numbers(plain.v)])
  expect(await numbers(scaled.gradient)).toEqual([8])
})

test('leaves no buffer behind', () => {
  const state = stateOf(1, 2, 3)
  const before = backend.memory().buffers
  adamw(state, { ...hyper, gradientScale: 0.5 })
  expect(backend.memory().buffers).toBe(before)
})

test('updateEma', async () => {
  const ema = scalar(10)
  updateEma(ema, scalar(2), 0.75)
  expect(await numbers(ema)).toEqual([8])
  expect(() => updateEma(ema, draw('p', [2]), 0.5)).toThrow(
    new RangeError('updateEma: shapes must be equal (got [1] and [2])'),
  )
  expect(await numbers(ema)).toEqual([8])
})

test('errors', () => {
  const state = stateOf(1, 2)
  expect(() => adamw(state, { ...hyper, step: 0 })).toThrow(
    new RangeError('adamw: step must be a positive integer (got 0)'),
  )
  expect(() => adamw({ ...state, m: zeros([2], { backend }) }, hyper)).toThrow(
    new RangeError('adamw: shapes must be equal (got [1], [1], [2], [1])'),
  )
})

test('three steps with weight decay and EMA agree with the reference implementation', async () => {
  const values = (data: readonly number[]) => tensor(data, [data.length], { backend })
  const state = {
    parameter: values(fixture.start),
    m: zeros([8], { backend }),
    v: zeros([8], { backend }),
    ema: values(fixture.start),
  }
  for (const [i, { gradient, parameter, ema }] of fixture.steps.entries()) {
    adamw(
      { ...state, gradient: values(gradient) },
      {
        learningRate: 1e-4,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0.1,
        gradientScale: 1,
        emaDecay: 0.9,
        step: i + 1,
      },
    )
    // Ours is float64, the fixture float32: a few roundings of numbers below 1/2.
    expectClose(await numbers(state.parameter), parameter, 1e-7)
    expectClose(await numbers(state.ema), ema, 1e-7)
  }
  // Roundings of numbers below 0.1 and below 0.001.
  expectClose(await numbers(state.m), fixture.m, 2e-8)
  expectClose(await numbers(state.v), fixture.v, 2e-10)
})

function expectClose(got: readonly number[], want: readonly number[], tolerance: number): void {
  expect(got.length).toBe(want.length)
  expect(Math.max(...got.map((value, i) => Math.abs(value - want[i])))).toBeLessThan(tolerance)
}
