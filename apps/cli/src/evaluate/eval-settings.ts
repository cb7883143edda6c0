import { MEASURES } from '@dit/evaluate'
import type { Command } from 'commander'
import { ENGINE_SETTINGS } from '../engines/engine-options.js'
import { SAMPLE_SETTINGS } from '../samples/sample-settings.js'
import type { OptionSetting } from '../settings/option-setting.js'
import { measuresOf } from '../settings/measure-names.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import { WEIGHTS_PROCESS_SETTINGS } from '../settings/process-settings.js'
import { addSettings, type FlagsOf, type Settings } from '../settings/setting.js'
import { SOURCE_SETTINGS } from '../settings/source-settings.js'
import { DATA_SETTINGS } from '../settings/train-settings.js'
import { integer, nameList, number, path, workerCount } from '../settings/values.js'

/** What is judged by what. */
const SET_SETTINGS = {
  data: {
    flag: '--data <path>',
    help: 'the real pictures: a folder with one sub-folder per class, tar shards, an npz with arr_0, or an npz of statistics with mu and sigma (default for a run: what it held out, or else what it was trained on)',
    parse: path,
  },
  train: {
    flag: '--train <path>',
    help: 'the training pictures, to look for copies of them (default for a run: its own)',
    parse: path,
  },
  heldOut: {
    flag: '--held-out <path>',
    help: 'real pictures that were not trained on, which say how near to a training picture is too near (default: what the run held out if --data is statistics, else the real pictures)',
    parse: path,
  },
  extractor: {
    flag: '--extractor <name|file>',
    help: 'what takes features: small, the weights of the FID Inception or EfficientNet-Lite0, or an ONNX file with its settings beside it (<file>.json; docs/evaluating.md) (default {default})',
    default: 'small',
  },
  layer: { flag: '--layer <name>', help: 'layer of the extractor (default: its own choice)' },
  measures: {
    flag: '--measures <list>',
    help: `measures with commas between, or all: ${MEASURES.join(', ')} (default: all but frechetInfinity and cmmd, as far as they can be had)`,
    parse: measuresOf,
  },
  count: {
    flag: '--count <n>',
    help: 'samples of a model (default: as many as real pictures, at most 5,000)',
    parse: integer(2),
  },
  classes: { flag: '--classes <list>', help: 'judge only these classes: names with commas between', parse: nameList },
  size: {
    flag: '--size <pixels>',
    help: 'side that pictures of folders are cropped and scaled to (default: that of the model, or of what is judged)',
    parse: integer(1),
  },
  background: {
    flag: DATA_SETTINGS.background.flag,
    help: 'what transparent pictures are put on (default: as in the run, or white)',
    parse: DATA_SETTINGS.background.parse,
  },
  skipBad: { flag: '--skip-bad', help: 'name unreadable pictures and leave them out, instead of stopping' },
  allowDuplicates: {
    flag: '--allow-duplicates',
    help: 'go on where real pictures are training pictures, too; the report says so',
  },
} as const satisfies Settings

/** How samples are drawn: some rows of `dit sample`. */
const SAMPLING_KEYS = [
  'seed',
  'steps',
  'sampler',
  'guidance',
  'guidanceChannels',
  'guidanceInterval',
  'guidanceRescale',
  'nullClass',
  'spacing',
  'shift',
  'clip',
  'eta',
  'diffusionForm',
  'diffusionNorm',
  'lastStep',
  'lastStepSize',
  'rtol',
  'atol',
  'tile',
  'batch',
] as const satisfies readonly (keyof typeof SAMPLE_SETTINGS)[]

export const SAMPLING_SETTINGS: Settings<OptionSetting> = {
  ...pick(SAMPLE_SETTINGS, SAMPLING_KEYS),
  // What is judged are classes: there are no conditions to guide by.
  guidance: { ...SAMPLE_SETTINGS.guidance, parse: number(), store: (scale: number) => scale },
}

const MODEL_SETTINGS = pick(SOURCE_SETTINGS, [
  'vae',
  'lora',
  'loraScale',
  'raw',
  'half',
  'heads',
  'key',
  'objective',
] as const)

const NUMBER_SETTINGS = {
  resamples: {
    flag: '--resamples <n>',
    help: 'bootstrap resamples behind each interval, at most; 0 for no intervals (default {default})',
    parse: integer(0),
    default: 200,
  },
  level: {
    flag: '--level <share>',
    help: 'share of the resamples that an interval spans (default {default})',
    parse: number(0.01, 0.9999),
    default: 0.95,
  },
  neighbours: {
    flag: '--neighbours <k>',
    help: 'neighbour that neighbourhoods of precision, recall, density and coverage reach to (default {default})',
    parse: integer(1),
    default: 5,
  },
} as const satisfies Settings

const OUTPUT_SETTINGS = {
  out: {
    flag: '--out <folder>',
    help: 'where evaluation.json and report.html go (default: evaluation in the run or beside the weights, else here)',
    parse: path,
  },
  force: {
    flag: '--force',
    help: 'overwrite an evaluation in --out, or begin anew what was stopped; without it a new folder gets a number',
  },
  cache: {
    flag: '--cache <folder>',
    help: 'where features and samples are kept for the next time (default: evaluation-cache beside --out)',
    parse: path,
  },
  compare: {
    flag: '--compare <evaluations...>',
    help: 'an earlier evaluation to compare with (its folder, its evaluation.json, or a run for its newest); two of them are compared without a new one',
  },
  writeStatistics: {
    flag: '--write-statistics <file>',
    help: 'write means and covariances of the features of --data as an npz, as the ADM suite reads it; without a model nothing else is done',
    parse: path,
  },
} as const satisfies Settings

const COMPUTE_SETTINGS = {
  workers: {
    flag: '--workers <n|auto>',
    help: 'threads that sample and take features, each with its own engine; the results are the same (default {default})',
    parse: workerCount,
    default: 1,
  },
  ...ENGINE_SETTINGS,
} as const satisfies Settings

const ALL = {
  ...SET_SETTINGS,
  ...NUMBER_SETTINGS,
  ...OUTPUT_SETTINGS,
  ...COMPUTE_SETTINGS,
  ...OTHER_SETTINGS,
} as const

type PickedSettings = Pick<typeof SAMPLE_SETTINGS, (typeof SAMPLING_KEYS)[number]> & typeof MODEL_SETTINGS

/** Options of `dit eval` as given. */
export type EvalFlags = Omit<FlagsOf<typeof ALL & PickedSettings & typeof WEIGHTS_PROCESS_SETTINGS>, 'compare'> & {
  readonly compare?: readonly string[]
}

/** What is used where an option is absent. */
export const EVAL_DEFAULTS = {
  extractor: SET_SETTINGS.extractor.default,
  resamples: NUMBER_SETTINGS.resamples.default,
  level: NUMBER_SETTINGS.level.default,
  neighbours: NUMBER_SETTINGS.neighbours.default,
  workers: COMPUTE_SETTINGS.workers.default,
} as const

/** Adds the options of `dit eval`. */
export function addEvalOptions(command: Command): Command {
  addSettings(command, SET_SETTINGS, 'What is judged by what')
  addSettings(command, SAMPLING_SETTINGS, 'Samples of a model, as in `dit sample`')
  addSettings(command, NUMBER_SETTINGS, 'Intervals and neighbourhoods')
  addSettings(command, OUTPUT_SETTINGS, 'Output')
  addSettings(command, MODEL_SETTINGS, 'Model')
  addSettings(command, WEIGHTS_PROCESS_SETTINGS, 'Process of the weights, if their file does not say')
  addSettings(command, COMPUTE_SETTINGS, 'Engine')
  return addSettings(command, OTHER_SETTINGS, 'Other')
}

function pick<Table extends object, Key extends keyof Table>(table: Table, keys: readonly Key[]): Pick<Table, Key> {
  return Object.fromEntries(keys.map((key) => [key, table[key]])) as Pick<Table, Key>
}
