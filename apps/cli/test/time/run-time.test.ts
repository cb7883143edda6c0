import { expect, test } from 'vitest'
import { type Extras, extrasOf, measuredText, runTime, stepsWithin, timeText } from '../../src/time/run-time.js'
import { tinyConfig } from '../support/tiny-run.js'

const NONE: Extras = {
  sampleEvery: null,
  gridSeconds: 0,
  measureEvery: null,
  measureSeconds: 0,
  evaluateEvery: null,
  evaluateSeconds: 0,
}
const SOME: Extras = { ...NONE, sampleEvery: 500, gridSeconds: 10, measureEvery: 250, measureSeconds: 2 }
const ALL: Extras = { ...SOME, evaluateEvery: 1000, evaluateSeconds: 30 }

test('grids and measurements fall on their steps and on the last one', () => {
  const none = { grids: 0, measurements: 0, evaluations: 0, extraSeconds: 0 }
  const some = { grids: 4, measurements: 8, extraSeconds: 56 }
  expect(runTime(0.1, SOME, 2000)).toEqual({ ...none, ...some, seconds: 200 + 40 + 16 })
  expect(runTime(0.1, ALL, 2001)).toMatchObject({ grids: 5, measurements: 9, evaluations: 3 })
  expect(runTime(0.1, SOME, 2001)).toMatchObject({ grids: 5, measurements: 9 })
  expect(runTime(0.1, SOME, 2000, 1500)).toMatchObject({ grids: 1, measurements: 2 })
  expect(runTime(0.1, SOME, 2000, 2000)).toEqual({ ...none, seconds: 0 })
  expect(runTime(0.1, NONE, 2000)).toEqual({ ...none, seconds: 200 })
})

test('the steps that fit into a time are the most that do', () => {
  for (const seconds of [0.05, 5, 22.3, 256, 4000]) {
    const steps = stepsWithin(seconds, 0.1, SOME)
    expect(steps === 0 || runTime(0.1, SOME, steps).seconds <= seconds).toBe(true)
    expect(runTime(0.1, SOME, steps + 1).seconds).toBeGreaterThan(seconds)
  }
  expect(stepsWithin(10, 0.125, NONE)).toBe(80)
  expect(stepsWithin(9, 0.1, SOME)).toBe(0)
})

test('a grid is the forward passes of its pictures, a third of a training step each', () => {
  const run = { ...tinyConfig, sampleEvery: 4, heldOut: { share: 0.1, every: 2 } }
  // A batch of 2 in 0.6 s: 0.1 s a pass. 50 steps of 36 pictures; 5 ratios of 7 pictures.
  const extras = extrasOf(run, 0.6, { workers: 1, gridPictures: 36, measuredPictures: 7 })
  expect(extras.gridSeconds).toBeCloseTo(180, 9)
  expect(extras.measureSeconds).toBeCloseTo(3.5, 9)
  expect([extras.sampleEvery, extras.measureEvery]).toEqual([4, 2])
  // Rank 0 alone makes grids, of a batch that two share.
  expect(extrasOf(run, 0.6, { workers: 2, gridPictures: 36, measuredPictures: 7 }).gridSeconds).toBeCloseTo(360, 9)
})

test('an evaluation is the forward passes of its samples, twice as many with guidance and those of its sampler', () => {
  const evaluation = {
    every: 5,
    measures: ['kid'],
    count: 10,
    against: 'all',
    sampler: 'unipc',
    steps: 20,
    guidance: 1,
    extractor: 'small',
    keepBest: null,
  } as const
  const secondsOf = (changes: object) => {
    const run = { ...tinyConfig, evaluation: { ...evaluation, ...changes } }
    return extrasOf(run, 0.6, { workers: 1, gridPictures: 0, measuredPictures: 0 })
  }
  // A batch of 2 in 0.6 s: 0.1 s a pass.
  expect(secondsOf({}).evaluateSeconds).toBeCloseTo(20, 9)
  expect(secondsOf({ guidance: 2 }).evaluateSeconds).toBeCloseTo(40, 9)
  expect(secondsOf({ sampler: 'heun', steps: 5 }).evaluateSeconds).toBeCloseTo(10, 9)
  expect(secondsOf({ every: null }).evaluateEvery).toBe(null)
  expect(extrasOf(tinyConfig, 0.6, { workers: 1, gridPictures: 0, measuredPictures: 0 }).evaluateEvery).toBe(null)
})

test('says how long, for how many steps, and how that is known', () => {
  expect(timeText(runTime(0.24, NONE, 2000), 0.24, measuredText(3), 2000)).toBe(
    'about 8 min for 2,000 steps: 0.24 s a step, measured over 3 steps',
  )
  expect(timeText(runTime(0.24, SOME, 2000, 1900), 0.24, measuredText(1), 2000, 1900)).toBe(
    'about 36 s for the 100 steps that are left, 12 s of it for 1 grid of samples and 1 held-out measurement: 0.24 s a step, measured over 1 step',
  )
  expect(timeText(runTime(0.24, ALL, 1000), 0.24, measuredText(1), 1000)).toContain(
    '58 s of it for 2 grids of samples, 4 held-out measurements and 1 evaluation: ',
  )
})
