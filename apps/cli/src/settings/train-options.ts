import { DIT_NAMES } from '@dit/model'
import { SCHEDULES } from '@dit/schedules'
import { RECIPES, smallRecipe } from '@dit/train-ddp'
import { type Command, Option } from 'commander'
import { type EngineFlags, engineOptions } from '../engines/engine-options.js'
import { betasFlag } from './betas-file.js'
import { LOSS_WEIGHT_FORMS, lossWeightFlag } from './loss-weight.js'
import { integer, number, orWord, path, recomputedBlocks, share, workerCount, type Workers } from './values.js'

/** Options of `dit train` as given; keys of a config file are the same. What is absent takes its default. */
export interface TrainFlags extends EngineFlags {
  readonly config?: string
  readonly data?: string
  readonly latents?: string
  readonly size?: number
  readonly flip?: boolean
  readonly skipBad?: boolean
  readonly valShare?: number
  readonly valEvery?: number
  readonly objective?: string
  readonly model?: string
  readonly hidden?: number
  readonly depth?: number
  readonly heads?: number
  readonly patch?: number
  readonly mlpRatio?: number
  readonly recipe?: string
  readonly batch?: number
  readonly microBatch?: number
  readonly accumulate?: number
  readonly lr?: number
  readonly warmup?: number
  readonly decay?: string
  readonly finalLr?: number
  readonly beta1?: number
  readonly beta2?: number
  readonly epsilon?: number
  readonly weightDecay?: number
  readonly clip?: number | null
  readonly ema?: number
  readonly emaWarmup?: boolean
  readonly classDropout?: number
  readonly schedule?: string
  readonly betaStart?: number
  readonly betaEnd?: number
  /** Text of a JSON list: the contents of the file. */
  readonly betas?: string
  readonly timesteps?: number
  readonly timestepSampler?: string
  readonly predict?: string
  readonly variance?: string
  readonly loss?: string
  /** As `lossWeightText` writes it. */
  readonly lossWeight?: string
  readonly process?: 'gaussian' | 'flow'
  readonly path?: string
  readonly weighting?: string
  readonly times?: string
  readonly timeShift?: number
  readonly steps?: number
  readonly seed?: number
  readonly out?: string
  readonly resume?: boolean | string
  readonly checkpointEvery?: number
  readonly keepLast?: number
  readonly keepEvery?: number | null
  readonly sampleEvery?: number | null
  /** True is `block`. */
  readonly recompute?: boolean | 'none' | 'block' | number
  readonly workers?: Workers
  readonly shardOptimizer?: boolean
  readonly shardCheckpoint?: boolean
  readonly patience?: number
  readonly maxRestarts?: number
  readonly mpirun?: string
  readonly onSaveError?: 'stop' | 'continue'
  readonly allowInexact?: boolean
  readonly quiet?: boolean
  readonly json?: boolean
}

/** What `dit train` uses where a flag is absent; the recipe has the rest. */
export const TRAIN_DEFAULTS = {
  data: 'shapes',
  size: 32,
  flip: true,
  skipBad: false,
  hidden: 128,
  depth: 4,
  heads: 4,
  patch: 4,
  mlpRatio: 4,
  recipe: smallRecipe.name,
  classDropout: 0.1,
  steps: 2000,
  seed: 0,
  checkpointEvery: 250,
  keepLast: 3,
  keepEvery: null,
  sampleEvery: 500,
  valEvery: 250,
  recompute: 'none',
  shardOptimizer: false,
  shardCheckpoint: false,
  workers: 1,
  patience: 120,
  maxRestarts: 0,
  onSaveError: 'stop',
} as const

/** Most timesteps of a process: its tables are built at every start. */
export const MAX_TIMESTEPS = 1_000_000

const D = TRAIN_DEFAULTS

/** Adds the options of `dit train`. Defaults are told in the help only, so that "given" can be told from "absent". */
export function addTrainOptions(command: Command): Command {
  const add = (
    group: string,
    flags: string,
    help: string,
    parse?: (text: string) => unknown,
    choices?: readonly string[],
  ) => {
    const option = new Option(flags, help).helpGroup(`${group}:`)
    if (choices !== undefined) option.choices(choices)
    if (parse !== undefined) option.argParser(parse)
    command.addOption(option)
  }
  const choose = (group: string, flags: string, help: string, choices: readonly string[]) =>
    add(group, flags, help, undefined, choices)

  add(
    'Data',
    '--data <shapes|folder>',
    `generated shapes, or a folder with one sub-folder of pictures per class (default ${D.data})`,
    path,
  )
  add('Data', '--latents <folder>', 'latents that `dit encode` has written, in place of pictures', path)
  add('Data', '--size <pixels>', `side of the square pictures (default ${D.size})`, integer(1))
  add('Data', '--no-flip', 'do not mirror pictures at random')
  add('Data', '--skip-bad', 'leave out unreadable pictures and name them, instead of stopping')

  add(
    'Data',
    '--val-share <share>',
    'hold out this share of each class, and measure the error on it: 0.1 is a good choice',
    share,
  )
  add('Data', '--val-every <steps>', `steps between these measurements (default ${D.valEvery})`, integer(1))

  add(
    'Model',
    '--objective <module>',
    'train what this JavaScript module exports, a network or loss of your own, in place of a DiT',
    path,
  )
  add(
    'Model',
    '--model <name>',
    `a named size, ${DIT_NAMES[0]} to ${DIT_NAMES.at(-1)}; the options below change it, or describe a model of your own`,
  )
  add('Model', '--hidden <n>', `hidden size (default ${D.hidden})`, integer(1))
  add('Model', '--depth <n>', `number of blocks (default ${D.depth})`, integer(1))
  add('Model', '--heads <n>', `attention heads (default ${D.heads})`, integer(1))
  add('Model', '--patch <pixels>', `patch side; must divide the size (default ${D.patch})`, integer(1))
  add('Model', '--mlp-ratio <n>', `width of the MLP over the hidden size (default ${D.mlpRatio})`, number(0))
  add('Model', '--class-dropout <p>', `share of labels dropped, for guidance (default ${D.classDropout})`, number(0, 1))

  choose(
    'Recipe',
    '--recipe <name>',
    `settings to start from (default ${D.recipe}); printed in full at the start`,
    Object.keys(RECIPES),
  )
  add('Recipe', '--batch <n>', 'examples per step', integer(1))
  add('Recipe', '--micro-batch <n>', 'examples at a time; gradients add up to the batch', integer(1))
  add('Recipe', '--accumulate <n>', 'cut the examples of each worker into so many micro-batches', integer(1))
  add('Recipe', '--lr <rate>', 'peak learning rate', number(0))
  add('Recipe', '--warmup <steps>', 'steps over which the learning rate rises', integer())
  choose('Recipe', '--decay <course>', 'course of the learning rate after the warm-up', [
    'constant',
    'linear',
    'cosine',
  ])
  add('Recipe', '--final-lr <share>', 'learning rate at the end, as a share of the peak', number(0, 1))
  add('Recipe', '--beta1 <x>', "AdamW's first decay", number(0, 1))
  add('Recipe', '--beta2 <x>', "AdamW's second decay", number(0, 1))
  add('Recipe', '--epsilon <x>', "AdamW's epsilon", number(0))
  add('Recipe', '--weight-decay <x>', 'decoupled weight decay', number(0))
  add('Recipe', '--clip <norm>', 'largest norm of the gradient, or `none`', orWord('none', number(0)))
  add('Recipe', '--ema <decay>', 'decay of the averaged weights', number(0, 1))
  add('Recipe', '--ema-warmup', 'let the average forget the start quickly')
  add('Recipe', '--no-ema-warmup', 'use the full decay from the first step')
  choose('Process', '--process <family>', 'what is reversed: a Gaussian diffusion (default) or a flow', [
    'gaussian',
    'flow',
  ])
  choose('Process', '--predict <what>', 'what the model predicts (default epsilon; velocity for a flow)', [
    'epsilon',
    'x0',
    'previousX',
    'velocity',
    'score',
  ])
  choose('Process', '--path <name>', 'how a flow mixes pictures and noise (default linear)', ['linear', 'gvp', 'vp'])
  choose('Process', '--times <law>', 'how training times of a flow are drawn (default uniform)', [
    'uniform',
    'logitNormal',
    'mode',
    'logNormal',
  ])
  add(
    'Process',
    '--time-shift <s>',
    'move the times of a flow: above 1 towards the noise, for large pictures',
    number(0),
  )
  choose('Process', '--weighting <name>', 'weight of the loss of a flow (default none)', [
    'none',
    'velocity',
    'likelihood',
    'inverseSigma2',
    'cosmap',
  ])
  add('Process', '--schedule <name>', `noise schedule: ${SCHEDULES.join(', ')}`)
  add('Process', '--beta-start <x>', 'first noise variance of the schedule', number(0, 1))
  add('Process', '--beta-end <x>', 'last noise variance of the schedule', number(0, 1))
  add('Process', '--betas <file>', 'noise variances of your own: a JSON list or an .npy file', betasFlag)
  add('Process', '--timesteps <n>', 'diffusion timesteps', integer(2, MAX_TIMESTEPS))
  choose('Process', '--timestep-sampler <name>', 'how timesteps are drawn', ['uniform', 'lossSecondMoment'])
  choose('Process', '--variance <type>', 'variance of a denoising step', [
    'learnedRange',
    'learned',
    'fixedSmall',
    'fixedLarge',
  ])
  choose('Process', '--loss <type>', 'training loss', ['mse', 'rescaledMse', 'kl', 'rescaledKl'])
  add('Process', '--loss-weight <name>', `weight of the squared error: ${LOSS_WEIGHT_FORMS}`, lossWeightFlag)

  add('Run', '--steps <n>', `length of the run (default ${D.steps})`, integer(1))
  add('Run', '--seed <n>', `seed of everything random (default ${D.seed})`, integer())
  add('Run', '--out <folder>', 'folder of the run (default runs/<data>)', path)
  add('Run', '--resume [folder]', 'continue the run in --out, or in this folder', path)
  add('Run', '--checkpoint-every <steps>', `steps between checkpoints (default ${D.checkpointEvery})`, integer(1))
  add('Run', '--keep-last <n>', `newest checkpoints to keep (default ${D.keepLast})`, integer(1))
  add(
    'Run',
    '--keep-every <steps>',
    'also keep checkpoints at multiples of this, or `none`',
    orWord('none', integer(1)),
  )
  choose('Run', '--on-save-error <what>', `what to do when the disk is full or gone (default ${D.onSaveError})`, [
    'stop',
    'continue',
  ])
  add(
    'Run',
    '--sample-every <steps>',
    `steps between sample grids, or \`none\` (default ${D.sampleEvery})`,
    orWord('none', integer(1)),
  )

  for (const option of engineOptions()) command.addOption(option.helpGroup('Engine:'))
  add(
    'Engine',
    '--recompute [blocks]',
    'use less memory: compute blocks twice instead of storing them; `block` for all, `none`, or how many',
    recomputedBlocks,
  )
  add('Engine', '--allow-inexact', 'resume even if the result will differ from an unbroken run')

  add(
    'Workers',
    '--workers <n|auto>',
    'train with so many threads of this machine, each an engine of its own',
    workerCount,
  )
  add('Workers', '--shard-optimizer', 'each worker keeps a part of the moments and averages (ZeRO stage 1)')
  add(
    'Workers',
    '--shard-checkpoint',
    'each worker writes a part of every checkpoint; --out must be a folder that all see',
  )
  add(
    'Workers',
    '--patience <seconds>',
    `end the job when a worker has not answered for so long (default ${D.patience})`,
    number(0.1),
  )
  add('Workers', '--max-restarts <n>', 'start again from the last checkpoint when the job fails', integer())
  add('Workers', '--mpirun <command>', 'start the workers with this MPI launcher, such as "mpirun -n 4"')

  add('Other', '--config <file>', 'JSON file with any of these options, in camel case; the command line wins', path)
  add('Other', '-q, --quiet', 'print nothing but warnings and errors')
  add('Other', '--json', 'print one JSON object a line')
  return command
}
