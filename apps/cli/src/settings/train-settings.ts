import { type DiTConfig, DIT_NAMES } from '@dit/model'
import type { Command } from 'commander'
import { ENGINE_SETTINGS } from '../engines/engine-options.js'
import { isPictureData } from '../run/run-config.js'
import { BLOCK_SETTINGS } from './block-settings.js'
import { DISTILL_SETTINGS } from './distill-settings.js'
import { CONDITION_SETTINGS } from './condition-settings.js'
import { EVALUATION_SETTINGS } from './evaluation-settings.js'
import { FINE_TUNE_SETTINGS } from './fine-tune-settings.js'
import { OBJECTIVE_SETTINGS } from './objective-settings.js'
import { OTHER_SETTINGS } from './other-settings.js'
import { PROCESS_SETTINGS } from './process-settings.js'
import { RECIPE_SETTINGS } from './recipe-settings.js'
import type { RunSetting } from './run-setting.js'
import { addSettings, defaultsOf, type FlagsOf, type Settings } from './setting.js'
import {
  fileCount,
  colour,
  integer,
  number,
  orWord,
  path,
  positive,
  recomputedBlocks,
  share,
  workerCount,
} from './values.js'

const A_COUNT = 'a positive whole number'
const A_COUNT_OR_NULL = `${A_COUNT}, or null`

/** What a run learns from. */
export const DATA_SETTINGS = {
  data: {
    flag: '--data <shapes|sprites|folder|shards|module>',
    help: 'a folder with one sub-folder of pictures per class; tar shards, as a folder of them or train-{0000..0146}.tar; a JavaScript module that exports a `dataset`; or `shapes` or `sprites` for generated pictures (default {default})',
    parse: path,
    default: 'shapes',
    mayChange: true,
  },
  latents: {
    flag: '--latents <folder>',
    help: 'train on latents written by `dit encode`, instead of pictures',
    parse: path,
    mayChange: true,
  },
  size: {
    flag: '--size <pixels>',
    help: 'side of the square pictures (default {default})',
    parse: integer(1),
    default: 32,
    ofData: (data) => (data.kind === 'module' || data.kind === 'latents' ? undefined : data.size),
  },
  flip: { flag: '--no-flip', help: 'do not mirror pictures at random', default: true, place: 'flip' },
  skipBad: {
    flag: '--skip-bad',
    help: 'name unreadable pictures and leave them out, instead of stopping',
    default: false,
    ofData: (data) => isPictureData(data) && data.skipBad,
  },
  background: {
    flag: '--background <colour>',
    help: 'put transparent pictures on this: a name, rrggbb, or `none` to drop alpha as the reference does (default white)',
    parse: orWord('none', colour),
    default: '#ffffff',
    ofData: (data) => (isPictureData(data) ? (data.background ?? null) : undefined),
  },
  maxPixels: {
    flag: '--max-pixels <n>',
    help: 'pixels of the largest picture that is read (default 100,000,000, and 32,768 a side unless this is raised)',
    parse: integer(1),
    mayChange: true,
  },
  checkFiles: {
    flag: '--check-files <n|all>',
    help: 'pictures whose contents a resume compares with those at the start (default {default}, spread over all; names and sizes are compared for all)',
    parse: fileCount,
    default: 1000,
    ofData: (data) => (isPictureData(data) ? data.contents?.files : undefined),
  },
  classNames: {
    flag: '--class-names <file>',
    help: 'names of the classes of tar shards, by number: a JSON list, or a name a line (default: classes.json beside the shards)',
    parse: path,
    mayChange: true,
  },
  valShare: {
    flag: '--val-share <share>',
    help: 'hold out this share of each class and measure the error on it; 0.1 is a good choice',
    parse: share,
    place: 'heldOut.share',
    must: 'a number above 0 and below 1',
  },
  valEvery: {
    flag: '--val-every <steps>',
    help: 'steps between two measurements of what --val-share holds out (default {default})',
    parse: integer(1),
    default: 250,
    place: 'heldOut.every',
    must: A_COUNT,
    mayChange: true,
  },
} as const satisfies Settings<RunSetting>

/** What a DiT has where no flag says otherwise; its sizes come from `--model` or the recipe. */
export const MODEL_DEFAULTS = { mlpRatio: 4, classDropout: 0.1 } as const satisfies Partial<DiTConfig>

/** The DiT that is trained. What is absent comes from the named size, or from the recipe. */
export const MODEL_SETTINGS = {
  model: {
    flag: '--model <name>',
    help: `a named size, ${DIT_NAMES[0]} to ${DIT_NAMES.at(-1)}; the options under Model change it, or set the sizes one by one`,
    place: 'modelName',
  },
  hidden: {
    flag: '--hidden <n>',
    help: 'hidden size: width of a token (default: as --model or --recipe says)',
    parse: integer(1),
    place: 'objective.network.config.hiddenSize',
  },
  depth: {
    flag: '--depth <n>',
    help: 'number of transformer blocks (default: as --model or --recipe says)',
    parse: integer(1),
    place: 'objective.network.config.depth',
  },
  heads: {
    flag: '--heads <n>',
    help: 'attention heads; must divide the hidden size (default: as --model or --recipe says)',
    parse: integer(1),
    place: 'objective.network.config.numHeads',
  },
  patch: {
    flag: '--patch <pixels>',
    help: 'side of a patch, which becomes one token; must divide the size (default: as --model or --recipe says; for small pictures a quarter of --size)',
    parse: integer(1),
    place: 'objective.network.config.patchSize',
  },
  mlpRatio: {
    flag: '--mlp-ratio <n>',
    help: `width of the MLP, in hidden sizes (default ${MODEL_DEFAULTS.mlpRatio})`,
    parse: number(0),
    place: 'objective.network.config.mlpRatio',
  },
  classDropout: {
    flag: '--class-dropout <p>',
    help: `share of labels replaced by the null class during training, so that guidance works later (default ${MODEL_DEFAULTS.classDropout})`,
    parse: number(0, 1),
    place: 'objective.network.config.classDropout',
  },
  ...BLOCK_SETTINGS,
} as const satisfies Settings<RunSetting>

/** The length of a run, and what it leaves in its folder. */
const RUN_SETTINGS = {
  steps: {
    flag: '--steps <n>',
    help: 'training steps (default {default}); a resumed run may be made longer or shorter, with --allow-inexact unless its --decay is constant',
    parse: integer(1),
    default: 4000,
    place: 'steps',
    must: A_COUNT,
    mayChange: true,
  },
  minutes: {
    flag: '--minutes <m>',
    help: 'train as many steps as fit into this time, grids and measurements included: the first steps are timed, then --steps is fixed',
    parse: positive,
    place: 'stepsFrom.minutes',
    isOptional: true,
    must: 'a number above 0',
  },
  epochs: {
    flag: '--epochs <n>',
    help: 'train as many steps as show each picture that many times; may be a fraction',
    parse: positive,
    place: 'stepsFrom.epochs',
    isOptional: true,
    must: 'a number above 0',
  },
  seed: {
    flag: '--seed <n>',
    help: 'seed of everything random (default {default})',
    parse: integer(),
    default: 0,
    place: 'seed',
    must: 'a whole number, 0 or more',
  },
  out: {
    flag: '--out <folder>',
    help: 'folder of the run (default runs/<data>)',
    parse: path,
    mayChange: true,
  },
  resume: {
    flag: '--resume [folder]',
    help: 'continue the run in this folder, or in --out',
    parse: path,
    mayChange: true,
  },
  allowInexact: {
    flag: '--allow-inexact',
    help: 'resume even if the result will differ from that of an uninterrupted run',
    mayChange: true,
  },
  checkpointEvery: {
    flag: '--checkpoint-every <steps>',
    help: 'steps between checkpoints (default {default})',
    parse: integer(1),
    default: 250,
    place: 'checkpoint.every',
    must: A_COUNT,
    mayChange: true,
  },
  keepLast: {
    flag: '--keep-last <n>',
    help: 'number of newest checkpoints to keep (default {default})',
    parse: integer(1),
    default: 3,
    place: 'checkpoint.keepLast',
    must: A_COUNT,
    mayChange: true,
  },
  keepEvery: {
    flag: '--keep-every <steps>',
    help: 'also keep every checkpoint whose step is a multiple of this, or `none` (default none)',
    parse: orWord('none', integer(1)),
    default: null,
    place: 'checkpoint.keepEvery',
    must: A_COUNT_OR_NULL,
    mayChange: true,
  },
  onSaveError: {
    flag: '--on-save-error <what>',
    help: 'what to do if a checkpoint cannot be saved, for example on a full disk (default {default})',
    choices: ['stop', 'continue'],
    default: 'stop',
    mayChange: true,
  },
  sampleEvery: {
    flag: '--sample-every <steps>',
    help: 'steps between grids of sample pictures, or `none` (default {default})',
    parse: orWord('none', integer(1)),
    default: 500,
    place: 'sampleEvery',
    must: A_COUNT_OR_NULL,
    mayChange: true,
  },
  report: {
    flag: '--report',
    help: 'write report.html into the run at every grid of samples and every evaluation: curves, samples, measures, settings (default)',
    negation: 'write no report.html',
    default: true,
    place: 'report',
    isOptional: true,
    mayChange: true,
  },
  tensorboard: {
    flag: '--tensorboard',
    help: 'also write the log and the grids of samples as event files for TensorBoard, into tensorboard/ in the run',
    negation: 'stop writing event files in a resumed run',
    default: false,
    place: 'tensorboard',
    isOptional: true,
    mayChange: true,
  },
} as const satisfies Settings<RunSetting>

/** What computes, and with how much memory. */
const COMPUTE_SETTINGS = {
  ...ENGINE_SETTINGS,
  recompute: {
    flag: '--recompute [blocks]',
    help: 'save memory: compute blocks again in the backward pass instead of storing them; `block` for all, `none`, or a number of blocks',
    parse: recomputedBlocks,
    default: 'none',
    place: 'recompute',
    store: (blocks: boolean | ReturnType<typeof recomputedBlocks>) =>
      typeof blocks === 'boolean' ? (blocks ? 'block' : 'none') : blocks,
    mayChange: true,
  },
} as const satisfies Settings<RunSetting>

/** Who shares the work. */
const WORKER_SETTINGS = {
  workers: {
    flag: '--workers <n|auto>',
    help: 'train with this number of threads on this machine; each has its own engine (default {default})',
    parse: workerCount,
    default: 1,
    mayChange: true,
  },
  shardOptimizer: {
    flag: '--shard-optimizer',
    help: 'save memory: each worker stores only a part of the optimizer state and of the averages (ZeRO stage 1)',
    default: false,
    place: 'shardOptimizer',
    isOptional: true,
    mayChange: true,
  },
  shardCheckpoint: {
    flag: '--shard-checkpoint',
    help: 'each worker writes a part of every checkpoint; all must see the folder --out',
    default: false,
    place: 'shardCheckpoint',
    isOptional: true,
    mayChange: true,
  },
  patience: {
    flag: '--patience <seconds>',
    help: 'stop the job if a worker does not answer for this long (default {default})',
    parse: number(0.1),
    default: 120,
    mayChange: true,
    perRank: true,
  },
  maxRestarts: {
    flag: '--max-restarts <n>',
    help: 'if the job fails, restart it from the last checkpoint, at most this often (default {default})',
    parse: integer(),
    default: 0,
    mayChange: true,
  },
  mpirun: {
    flag: '--mpirun <command>',
    help: 'start the workers with this MPI launcher, for example "mpirun -n 4"',
    mayChange: true,
  },
} as const satisfies Settings<RunSetting>

/** Settings that mean the same whatever is trained. */
export const COMMON_SETTINGS = { ...DATA_SETTINGS, ...RUN_SETTINGS, ...COMPUTE_SETTINGS, ...WORKER_SETTINGS } as const

/** Every setting of `dit train`. */
export const TRAIN_SETTINGS = {
  ...COMMON_SETTINGS,
  ...EVALUATION_SETTINGS,
  ...OBJECTIVE_SETTINGS,
  ...FINE_TUNE_SETTINGS,
  ...DISTILL_SETTINGS,
  ...CONDITION_SETTINGS,
  ...MODEL_SETTINGS,
  ...RECIPE_SETTINGS,
  ...PROCESS_SETTINGS,
  ...OTHER_SETTINGS,
} as const

/** The same for whoever loops over it. */
export const TRAIN_ROWS: Settings<RunSetting> = TRAIN_SETTINGS

/** Options of `dit train` as given; keys of a config file are the same. */
export type TrainFlags = FlagsOf<typeof TRAIN_SETTINGS>

/** What `dit train` uses where a flag is absent; recipe and model have the rest. */
export const TRAIN_DEFAULTS = defaultsOf(TRAIN_SETTINGS)

/** The options that most runs need, first in the help. */
const MAIN = [
  'data',
  'size',
  'out',
  'steps',
  'minutes',
  'recipe',
  'model',
  'valShare',
  'evalEvery',
  'resume',
] as const satisfies readonly (keyof TrainFlags)[]

/** The other options, by their headings in the help. */
const GROUPS: readonly (readonly [heading: string, settings: Settings])[] = [
  ['Data', DATA_SETTINGS],
  ['Conditions', CONDITION_SETTINGS],
  ['Run', RUN_SETTINGS],
  ['Evaluation', EVALUATION_SETTINGS],
  ['Model', { ...MODEL_SETTINGS, ...OBJECTIVE_SETTINGS }],
  ['Fine-tuning', FINE_TUNE_SETTINGS],
  ['Distillation', DISTILL_SETTINGS],
  ['Recipe', RECIPE_SETTINGS],
  ['Process', PROCESS_SETTINGS],
  ['Engine', COMPUTE_SETTINGS],
  ['Workers', WORKER_SETTINGS],
  ['Other', OTHER_SETTINGS],
]

/** Adds the options of `dit train`. Defaults stand in the help only, so that "given" can be told from "absent". */
export function addTrainOptions(command: Command): Command {
  addSettings(command, Object.fromEntries(MAIN.map((key) => [key, TRAIN_ROWS[key]])), 'Enough to begin')
  for (const [heading, settings] of GROUPS) {
    const others = Object.entries(settings).filter(([key]) => !(MAIN as readonly string[]).includes(key))
    addSettings(command, Object.fromEntries(others), heading)
  }
  return command
}
