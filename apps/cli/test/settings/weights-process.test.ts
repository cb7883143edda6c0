import { expect, test } from 'vitest'
import { processOptionNames, processSettings } from '../../src/settings/weights-process.js'

test('flags that say nothing give no process', () => {
  expect(processSettings({})).toBeUndefined()
})

test('each flag becomes a setting of the process', () => {
  expect(
    processSettings({ process: 'gaussian', predict: 'x0', timesteps: 4, betas: '[0.1,0.2]', variance: 'fixedSmall' }),
  ).toEqual({ kind: 'gaussian', meanType: 'x0', numTimesteps: 4, betas: [0.1, 0.2], varianceType: 'fixedSmall' })
  expect(processSettings({ process: 'flow', predict: 'score', path: 'gvp' })).toEqual({
    kind: 'flow',
    prediction: 'score',
    interpolant: 'gvp',
  })
})

test('a flag of the other family is passed on, so that the pipeline can refuse it', () => {
  expect(processSettings({ process: 'gaussian', path: 'vp' })).toEqual({ kind: 'gaussian', interpolant: 'vp' })
  expect(processSettings({ process: 'flow', schedule: 'linear' })).toEqual({ kind: 'flow', schedule: 'linear' })
})

test('without a family a prediction is that of a flow, and the rest goes to the family that has it', () => {
  expect(processSettings({ predict: 'velocity', betaStart: 0.1 })).toEqual({ prediction: 'velocity', betaStart: 0.1 })
})

test('names both settings that --predict may be', () => {
  const keys = processOptionNames().filter(([, key]) => key === 'predict')
  expect(keys).toEqual([
    ['process.meanType', 'predict'],
    ['process.prediction', 'predict'],
  ])
})
