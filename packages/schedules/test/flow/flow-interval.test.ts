import { expect, test } from 'vitest'
import { flowInterval } from '../../src/index.js'

test('velocity on straight and gvp paths is finite everywhere', () => {
  expect(flowInterval({ use: 'training' })).toEqual({ min: 0, max: 1 })
  expect(flowInterval({ interpolant: 'gvp', use: 'ode' })).toEqual({ min: 0, max: 1 })
})

test('other predictions keep 0.001 away from both ends', () => {
  expect(flowInterval({ prediction: 'score', use: 'ode' })).toEqual({ min: 0.001, max: 0.999 })
})

test('vp keeps away from the data only, less when training', () => {
  expect(flowInterval({ interpolant: 'vp', use: 'training' })).toEqual({ min: 1e-5, max: 1 })
  expect(flowInterval({ interpolant: 'vp', prediction: 'epsilon', use: 'ode' })).toEqual({ min: 0.001, max: 1 })
})

test('an SDE stops at its last step, and starts below 1 where its form is infinite there', () => {
  expect(flowInterval({ use: 'sde', lastStepSize: 0.04 })).toEqual({ min: 0.04, max: 1 })
  expect(flowInterval({ use: 'sde', lastStepSize: 0.04, isOwnReversal: true })).toEqual({ min: 0.04, max: 0.999 })
  expect(flowInterval({ use: 'sde', epsilon: 0.01 })).toEqual({ min: 0.01, max: 1 })
})

test('refuses values out of range', () => {
  expect(() => flowInterval({ use: 'sde', lastStepSize: 1 })).toThrow(
    'flowInterval: lastStepSize must be in [0, 1) (got 1)',
  )
  expect(() => flowInterval({ use: 'ode', epsilon: 0.5 })).toThrow(
    'flowInterval: epsilon must be in [0, 0.5) (got 0.5)',
  )
})
