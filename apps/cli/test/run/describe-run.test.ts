import { expect, test } from 'vitest'
import { describeRun } from '../../src/run/describe-run.js'
import { resolveRun } from '../../src/run/resolve-run.js'
import type { RunConfig } from '../../src/run/run-config.js'
import type { TrainFlags } from '../../src/settings/train-settings.js'
import { tinyConfig } from '../support/tiny-run.js'

/** Lines about what to expect of a run. */
function expected(flags: TrainFlags): string[] {
  const config = { ...tinyConfig, ...resolveRun(flags, 6) } as RunConfig
  return describeRun(config, 'run', 'as told').filter((line) => line.startsWith('expect'))
}

test('what to expect is told of the recipe that was measured, and of no other process', () => {
  expect(expected({})).toEqual([expect.stringContaining('0.04 after 4,000')])
  expect(expected({ predict: 'epsilon' })).toEqual([])
  expect(expected({ process: 'flow' })).toEqual([])
  expect(expected({ recipe: 'paper' })).toEqual([])
})

test('a run that ends within its warm-up is to expect little, however its length was chosen', () => {
  const little = ['expect little: the learning rate rises over 100 steps, and the run has only 20; lower --warmup']
  expect(expected({ steps: 20 })).toEqual(little)
  expect(expected({ steps: 20, recipe: 'small' })).toEqual(little)
  expect(expected({ steps: 20, warmup: 5 })).not.toEqual(little)
  expect(expected({ lr: 0 })).toEqual(['expect nothing: the learning rate is 0, so that the weights stay as they are'])
  const config = { ...tinyConfig, ...resolveRun({ steps: 20 }, 6) } as RunConfig
  expect(describeRun(config, 'run').join()).not.toContain('expect')
})
