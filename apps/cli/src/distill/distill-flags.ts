import type { Command } from 'commander'
import { ENGINE_SETTINGS } from '../engines/engine-options.js'
import { DISTILL_SETTINGS } from '../settings/distill-settings.js'
import { FINE_TUNE_SETTINGS } from '../settings/fine-tune-settings.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import { RECIPE_SETTINGS } from '../settings/recipe-settings.js'
import { addSettings, defaultsOf, type FlagsOf, type Settings } from '../settings/setting.js'
import { COMMON_SETTINGS, DATA_SETTINGS } from '../settings/train-settings.js'
import { integer, path } from '../settings/values.js'

const { data, latents, flip, skipBad, background, maxPixels, checkFiles, classNames } = DATA_SETTINGS
const { seed, checkpointEvery, keepLast, keepEvery, sampleEvery, report, tensorboard, recompute, workers, patience } =
  COMMON_SETTINGS
const { batch, microBatch, lr, warmup, decay, finalLr, beta1, beta2, ema } = RECIPE_SETTINGS
const { startSteps, guidanceRange, guidanceScale } = DISTILL_SETTINGS
const { from, fromWeights } = FINE_TUNE_SETTINGS

const STAGES = {
  from: {
    ...from,
    help: 'the teacher: a run, a weights file, a diffusers folder, @dit/pretrained/heroes, an address or hf:owner/name',
  },
  out: { flag: '--out <folder>', help: 'folder of the students, one run each', parse: path },
  steps: {
    flag: '--steps <n>',
    help: 'training steps of each student (default {default})',
    parse: integer(1),
    default: 2000,
  },
  startSteps: {
    ...startSteps,
    help: 'steps of the path that the first teacher walks, a power of two times --last (default {default})',
    default: 16,
  },
  last: { flag: '--last <n>', help: 'steps of the last student (default {default})', parse: integer(1), default: 1 },
  guidanceRange,
  guidanceScale,
  fromWeights,
} as const satisfies Settings

/** Settings of `dit distill`; what `dit train` has under the same names means the same. */
export const DISTILL_COMMAND_SETTINGS = {
  ...STAGES,
  data,
  latents,
  flip,
  skipBad,
  background,
  maxPixels,
  checkFiles,
  classNames,
  batch,
  microBatch,
  lr,
  warmup,
  decay,
  finalLr,
  beta1,
  beta2,
  ema,
  seed,
  checkpointEvery,
  keepLast,
  keepEvery,
  sampleEvery,
  report,
  tensorboard,
  recompute,
  workers,
  patience,
  ...ENGINE_SETTINGS,
  ...OTHER_SETTINGS,
} as const

export type DistillFlags = FlagsOf<typeof DISTILL_COMMAND_SETTINGS>

export const DISTILL_DEFAULTS = defaultsOf(STAGES)

/** Adds the options of `dit distill`. */
export function distillOptions(command: Command): Command {
  const others = Object.entries(DISTILL_COMMAND_SETTINGS).filter(([key]) => !(key in STAGES))
  addSettings(command, STAGES, 'Students')
  return addSettings(command, Object.fromEntries(others), 'Training of each')
}
