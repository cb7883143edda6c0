import { ENGINE_SETTINGS } from '../engines/engine-options.js'
import { SIZE_KINDS } from '../scaling/row.js'
import { measureName } from './measure-names.js'
import { OTHER_SETTINGS } from './other-settings.js'
import type { Settings } from './setting.js'
import { integer, path, positive, share } from './values.js'

/** Estimators by the names that the command line has for them. */
export const ESTIMATORS = { huber: 'huber', 'log-squares': 'logSquares', 'linear-squares': 'linearSquares' } as const

/** How a table of results is fitted; the same for `fit`, `plan` and `plot`. */
export const ANALYSIS_SETTINGS = {
  size: {
    flag: '--size <what>',
    help: 'what n counts (default {default}: of a forward pass, which compares networks of different patch sizes)',
    choices: SIZE_KINDS,
    default: 'multiply-adds',
  },
  estimator: {
    flag: '--estimator <name>',
    help: 'what is made small (default {default}, which outliers hardly move)',
    choices: ['huber', 'log-squares', 'linear-squares'],
    default: 'huber',
  },
  resamples: {
    flag: '--resamples <n>',
    help: 'bootstrap resamples behind the intervals (default {default})',
    parse: integer(2, 100_000),
    default: 200,
  },
  level: { flag: '--level <share>', help: 'share of the intervals (default {default})', parse: share, default: 0.95 },
  seed: { flag: '--seed <n>', help: 'seed of the resamples (default {default})', parse: integer(), default: 0 },
  holdOutAbove: {
    flag: '--hold-out-above <multiply-adds>',
    help: 'fit only runs of at most this compute, and compare the law with the others',
    parse: positive,
  },
  measure: {
    flag: '--measure <name>',
    help: 'fit this measure of samples, such as kid or frechet, in place of the held-out error',
    parse: measureName,
  },
  patch: {
    flag: '--patch <size>',
    help: 'take only runs with patches of this size, since a law of several sizes of patches may fit none well',
    parse: integer(1),
  },
} as const satisfies Settings

/** `dit scaling fit` */
export const FIT_SETTINGS = {
  ...ANALYSIS_SETTINGS,
  predict: {
    flag: '--predict <grid>',
    help: 'predict the losses of those runs of a grid that the law is not fitted to',
    parse: path,
  },
  out: { flag: '--out <file>', help: 'write the fit, with its table, as JSON', parse: path },
  force: { flag: '--force', help: 'overwrite the file of --out' },
  json: { ...OTHER_SETTINGS.json, help: 'print one JSON object' },
} as const satisfies Settings

/** `dit scaling plot` */
export const PLOT_SETTINGS = {
  ...ANALYSIS_SETTINGS,
  out: {
    flag: '--out <name>',
    help: 'write <name>.svg, <name>.png and <name>.csv (default: scaling, in the folder of the results or here)',
    parse: path,
  },
  force: { flag: '--force', help: 'overwrite existing files instead of numbering the new ones' },
  json: { ...OTHER_SETTINGS.json, help: 'print one JSON object' },
} as const satisfies Settings

/** `dit scaling plan` */
export const PLAN_SETTINGS = {
  budget: {
    flag: '--budget <amount>',
    help: 'what may be spent: a time on this machine such as 1h or 45min, or multiply-adds such as 2e15',
  },
  loss: {
    flag: '--loss <error>',
    help: 'instead of a budget: the held-out error to reach, for which the least compute is told',
    parse: positive,
  },
  grid: {
    flag: '--grid <file>',
    help: 'grid whose models and training options are planned with (default: that in the folder of the results)',
    parse: path,
  },
  anyway: { flag: '--anyway', help: 'plan although the data do not determine the law; the reasons are still told' },
  ...ANALYSIS_SETTINGS,
  ...ENGINE_SETTINGS,
  json: { ...OTHER_SETTINGS.json, help: 'print one JSON object' },
} as const satisfies Settings

/** `dit scaling rate` */
export const RATE_SETTINGS = {
  json: { ...OTHER_SETTINGS.json, help: 'print one JSON object' },
} as const satisfies Settings

/** `dit scaling run` */
export const RUN_SETTINGS = {
  out: {
    flag: '--out <folder>',
    help: 'folder of the results (default: that of the grid, without .json)',
    parse: path,
  },
  minutes: {
    flag: '--minutes <m>',
    help: 'stop after this time, with a checkpoint; the same command goes on (default: until all is done)',
    parse: positive,
  },
  plan: { flag: '--plan', help: 'only show the runs and how long they would take on this machine; train nothing' },
  time: { flag: '--no-time', help: 'with --plan: do not time the first steps', default: true },
  ...ENGINE_SETTINGS,
  quiet: { ...OTHER_SETTINGS.quiet },
  json: { ...OTHER_SETTINGS.json },
} as const satisfies Settings
