import { expect, test } from 'vitest'
import { FLOW_SPACINGS, flowTimes, shiftTime, spacedFlowTimes } from '../../src/index.js'

test('linspace is the grid of a flow, shifted or not', () => {
  for (const shift of [1, 3]) {
    const times = spacedFlowTimes({ numSteps: 7, shift })
    for (const [i, t] of flowTimes({ numSteps: 7, shift }).entries()) expect(times[i]).toBeCloseTo(t, 12)
  }
})

test.each(FLOW_SPACINGS)('%s falls from one end to the other, which stay', (spacing) => {
  for (const shift of [0.5, 1, 3]) {
    for (const [from, to] of [
      [1, 0],
      [0.999, 0.04],
      [0.999, 0],
    ]) {
      for (const numSteps of [1, 2, 30]) {
        const times = spacedFlowTimes({ numSteps, spacing, from, to, shift })
        expect(times).toHaveLength(numSteps + 1)
        expect([times[0], times[numSteps]]).toEqual([from, to])
        for (let i = 1; i <= numSteps; i++) expect(times[i]).toBeLessThan(times[i - 1])
      }
    }
  }
})

test('spread as sigmas, the last step leads from a thousandth, shifted', () => {
  const times = spacedFlowTimes({ numSteps: 3, spacing: 'exponential', shift: 3 })
  const least = shiftTime(0.001, 3)
  expect(times[2]).toBeCloseTo(least, 12)
  expect(times[1]).toBeCloseTo(Math.sqrt(least), 12)
  expect(spacedFlowTimes({ numSteps: 2, spacing: 'exponential', to: 0.25 })[1]).toBeCloseTo(0.5, 12)
})

test('says what cannot be', () => {
  expect(() => spacedFlowTimes({ numSteps: 3, spacing: 'trailing' as never })).toThrow(
    'spacedFlowTimes: spacing must be one of linspace, karras, exponential, beta (got trailing)',
  )
  expect(() => spacedFlowTimes({ numSteps: 3, from: 0, to: 1 })).toThrow(
    'spacedFlowTimes: times must fall (got 0 to 1)',
  )
  for (const spacing of ['karras', 'exponential', 'beta'] as const) {
    expect(() => spacedFlowTimes({ numSteps: 10, spacing, from: 0.0005 })).toThrow(
      `spacedFlowTimes: ${spacing} spreads times down to 0.001 before it ends at 0, so that from must be above it (got 0.0005)`,
    )
    expect([...spacedFlowTimes({ numSteps: 1, spacing, from: 0.0005 })]).toEqual([0.0005, 0])
  }
  expect(() => spacedFlowTimes({ numSteps: 0 })).toThrow('flowTimes: numSteps must be a positive integer (got 0)')
  expect(() => spacedFlowTimes({ numSteps: 3, shift: 0 })).toThrow(
    'spacedFlowTimes: shift must be positive and finite (got 0)',
  )
})
