import { describe, expect, test } from 'vitest'
import { flowPath, flowTimes, shiftTime } from '../../src/index.js'

describe('flowTimes', () => {
  test('are even, with both ends', () => {
    expect([...flowTimes({ numSteps: 4 })]).toEqual([1, 0.75, 0.5, 0.25, 0])
    expect([...flowTimes({ numSteps: 2, from: 0.5, to: 1 })]).toEqual([0.5, 0.75, 1])
  })

  test('lie nearer to the noise with a shift above 1', () => {
    expect([...flowTimes({ numSteps: 2, shift: 3 })]).toEqual([1, 0.75, 0])
  })

  test('refuse what is no grid', () => {
    expect(() => flowTimes({ numSteps: 0 })).toThrow('flowTimes: numSteps must be a positive integer (got 0)')
    expect(() => flowTimes({ numSteps: 1, to: 1 })).toThrow('from and to must be two times in [0, 1] (got 1 and 1)')
    expect(() => flowTimes({ numSteps: 1, shift: 0 })).toThrow('flowTimes: shift must be positive and finite (got 0)')
  })
})

describe('shiftTime', () => {
  test('keeps the ends, and is undone by the inverse shift', () => {
    expect([shiftTime(0, 3), shiftTime(1, 3)]).toEqual([0, 1])
    expect(shiftTime(shiftTime(0.3, 3), 1 / 3)).toBeCloseTo(0.3, 15)
  })

  test('is the inverse shift in the time of those who count the other way', () => {
    expect(1 - shiftTime(1 - 0.3, 1 / 0.3)).toBeCloseTo((0.3 * 0.3) / (1 + (0.3 - 1) * 0.3), 15)
  })
})

describe('flowPath', () => {
  test('goes from noise to data in steps that meet, and knows the levels between', () => {
    const path = flowPath({ numSteps: 3, networkTime: 'towardsData' })
    const { steps, startScale } = path
    expect(steps).toHaveLength(3)
    expect(steps[1].from).toBe(steps[0].to)
    expect(startScale).toBe(1)
    expect(steps[0].from).toMatchObject({ alpha: 0, sigma: 1, timestep: 0 })
    expect(steps[2].to).toMatchObject({ alpha: 1, sigma: 0, timestep: 1 })
    expect(path.at!(0.5)).toMatchObject({ alpha: 0.5, timestep: 0.5, velocityScale: -1 })
  })

  test('goes through given times', () => {
    expect(flowPath({ times: [0.9, 0.5, 0.1] }).steps.map(({ to }) => to.t)).toEqual([0.5, 0.1])
  })

  test('refuses times that turn round, stand still or leave [0, 1]', () => {
    for (const times of [[1, 0.5, 0.6], [0.5, 0.5], [1.1, 0], [1], [NaN, 0]]) {
      expect(() => flowPath({ times })).toThrow(
        'flowPath: times must be two or more in [0, 1] that rise or fall throughout',
      )
    }
  })
})
