import { readFileSync } from 'node:fs'
import { ddimTimesteps, dpmTimesteps, type TimestepSpacing } from '@dit/schedules'
import { describe, expect, test } from 'vitest'

/** Made by tools/oracle/diffusers-schedulers.py. A long list of timesteps is stored as its checksum. */
interface Stored {
  readonly sampler: 'ddim' | 'dpm'
  readonly spacing: TimestepSpacing
  readonly count: number
  readonly timesteps: readonly number[] | number
  readonly length: number
}

const stored = JSON.parse(
  readFileSync(new URL('fixtures/diffusers-timesteps.json', import.meta.url), 'utf8'),
) as readonly Stored[]
const checksum = (timesteps: Int32Array) => timesteps.reduce((sum, timestep, i) => sum + (i + 1) * timestep, 0)

describe.each(['ddim', 'dpm'] as const)('%s', (sampler) => {
  const timestepsOf = sampler === 'ddim' ? ddimTimesteps : dpmTimesteps

  test.each(['leading', 'linspace', 'trailing'] as const)('%s is that of diffusers', (spacing) => {
    const cases = stored.filter((each) => each.sampler === sampler && each.spacing === spacing)
    expect(cases.length).toBeGreaterThan(15)
    for (const { count, timesteps, length } of cases) {
      const got = timestepsOf({ numTimesteps: 1000, numSteps: count, spacing })
      expect(got).toHaveLength(length)
      expect(typeof timesteps === 'number' ? checksum(got) : [...got], `${count} steps`).toEqual(timesteps)
    }
  })
})

test('by hand', () => {
  const of = (spacing: TimestepSpacing, stepsOffset = 0) => [
    ...ddimTimesteps({ numTimesteps: 10, numSteps: 4, spacing, stepsOffset }),
  ]
  expect(of('leading')).toEqual([6, 4, 2, 0])
  expect(of('leading', 1)).toEqual([7, 5, 3, 1])
  expect(of('linspace')).toEqual([9, 6, 3, 0])
  expect(of('trailing')).toEqual([9, 7, 4, 1]) // 10, 7.5, 5, 2.5: halves to even
  const dpm = (spacing: TimestepSpacing) => [...dpmTimesteps({ numTimesteps: 10, numSteps: 4, spacing })]
  expect(dpm('leading')).toEqual([8, 6, 4, 2])
  expect(dpm('linspace')).toEqual([9, 7, 4, 2]) // 9, 6.75, 4.5, 2.25
  expect(dpm('trailing')).toEqual([9, 7, 4, 1])
})

test('leaves out the noisiest timesteps', () => {
  const options = { numTimesteps: 10, numSteps: 3, numUsed: 7, spacing: 'linspace' } as const
  expect([...dpmTimesteps(options)]).toEqual([6, 4, 2])
})

test('errors', () => {
  const options = { numTimesteps: 10, numSteps: 4, spacing: 'leading' } as const
  expect(() => ddimTimesteps({ ...options, numSteps: 11 })).toThrow(
    new RangeError('ddimTimesteps: numSteps must be an integer in 1..10 (got 11)'),
  )
  expect(() => ddimTimesteps({ ...options, stepsOffset: 4 })).toThrow(
    new RangeError('ddimTimesteps: timesteps must be in 0..9 (there would be one at 10)'),
  )
  expect(() => dpmTimesteps({ ...options, stepsOffset: -1 })).toThrow(
    new RangeError('dpmTimesteps: stepsOffset must be a non-negative integer (got -1)'),
  )
  expect(() => dpmTimesteps({ ...options, spacing: 'even' as 'leading' })).toThrow(
    new RangeError('dpmTimesteps: spacing must be leading, linspace or trailing (got even)'),
  )
})
