import { expect, test } from 'vitest'
import { fieldsInFlags } from '../../src/settings/in-flags.js'
import { PROCESS_SETTINGS } from '../../src/settings/process-settings.js'
import { RECIPE_SETTINGS } from '../../src/settings/recipe-settings.js'
import { MODEL_SETTINGS } from '../../src/settings/train-settings.js'

test.each([
  [
    MODEL_SETTINGS,
    'DiTConfig: hiddenSize must be a multiple of numHeads (got 128 and 3)',
    '--hidden must be a multiple of --heads (got 128 and 3)',
  ],
  [
    PROCESS_SETTINGS,
    'scheduleBetas: the schedule must be one of linear, quad (got foo)',
    '--schedule must be one of linear, quad (got foo)',
  ],
  [
    PROCESS_SETTINGS,
    'drawTimes: shift must be positive and finite (got 0)',
    '--time-shift must be positive and finite (got 0)',
  ],
  [
    RECIPE_SETTINGS,
    'recipe: maxGradientNorm must be above 0, or null (got 0)',
    '--clip must be above 0, or none (got 0)',
  ],
] as const)('fields become flags: %#', (settings, message, said) => {
  expect(fieldsInFlags(message, settings)).toBe(said)
})
