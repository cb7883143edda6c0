import type { CompleteProcess, TimestepSampler } from '@dit/train-ddp'
import { flagOf } from '../settings/flag-of.js'
import { lossWeightText } from '../settings/loss-weight.js'
import type { TrainFlags } from '../settings/train-options.js'
import { UsageError } from '../terminal/errors.js'
import { denoisingOrNull, isFlow } from './objective-config.js'
import { NO_GRIDS } from './objective-flags.js'
import { checkWorkers, resolveRecompute } from './resolve-run.js'
import type { RunConfig } from './run-config.js'

/** The flags that describe a run: `resolveRun` gives the run again. */
export function runFlags(config: RunConfig): TrainFlags {
  const { recipe, data, checkpoint } = config
  return {
    ...dataFlags(data),
    flip: config.flip,
    skipBad: data.kind === 'folder' && data.skipBad,
    ...(config.modelName === null ? {} : { model: config.modelName }),
    ...objectiveFlags(config),
    recipe: recipe.name,
    batch: recipe.batchSize,
    microBatch: recipe.microBatchSize,
    lr: recipe.learningRate,
    warmup: recipe.warmupSteps,
    decay: recipe.decay,
    finalLr: recipe.finalLearningRate,
    beta1: recipe.beta1,
    beta2: recipe.beta2,
    epsilon: recipe.epsilon,
    weightDecay: recipe.weightDecay,
    clip: recipe.maxGradientNorm,
    ema: recipe.emaDecay,
    emaWarmup: recipe.emaWarmup,
    steps: config.steps,
    seed: config.seed,
    checkpointEvery: checkpoint.every,
    keepLast: checkpoint.keepLast,
    keepEvery: checkpoint.keepEvery,
    sampleEvery: config.sampleEvery,
    valShare: config.heldOut?.share,
    valEvery: config.heldOut?.every,
    backend: config.engine.name,
    recompute: config.recompute,
    shardOptimizer: config.shardOptimizer ?? false,
    shardCheckpoint: config.shardCheckpoint ?? false,
  }
}

function dataFlags(data: RunConfig['data']): TrainFlags {
  if (data.kind === 'module') return {}
  if (data.kind === 'latents') return { latents: data.folder }
  return { data: data.kind === 'shapes' ? 'shapes' : data.folder, size: data.size }
}

function objectiveFlags(config: RunConfig): TrainFlags {
  const denoising = denoisingOrNull(config)
  if (denoising === null) return 'module' in config.objective ? { objective: config.objective.module } : {}
  const { model, process, timestepSampler } = denoising
  return {
    hidden: model.hiddenSize,
    depth: model.depth,
    heads: model.numHeads,
    patch: model.patchSize,
    mlpRatio: model.mlpRatio,
    classDropout: model.classDropout,
    ...processFlags(process, timestepSampler),
  }
}

function processFlags(process: CompleteProcess, timestepSampler: TimestepSampler): TrainFlags {
  if (isFlow(process)) {
    const { interpolant, prediction, weighting, times } = process
    return {
      process: 'flow',
      path: interpolant,
      predict: prediction,
      weighting,
      times: times?.law,
      timeShift: times?.shift,
    }
  }
  const diffusion = process
  return {
    process: 'gaussian',
    timestepSampler,
    schedule: diffusion.schedule,
    timesteps: diffusion.numTimesteps,
    predict: diffusion.meanType,
    variance: diffusion.varianceType,
    loss: diffusion.lossType,
    lossWeight: lossWeightText(diffusion.lossWeight),
    betaStart: diffusion.betaStart,
    betaEnd: diffusion.betaEnd,
    betas: diffusion.betas === undefined ? undefined : JSON.stringify(diffusion.betas),
  }
}

/** Flags that may change at a resume: they do not change the numbers, or are compared with the run later (data, engine, length). */
const MAY_CHANGE: readonly (keyof TrainFlags)[] = [
  'data',
  'latents',
  'steps',
  'checkpointEvery',
  'keepLast',
  'keepEvery',
  'sampleEvery',
  'objective',
  'valEvery',
  'backend',
  'engine',
  'threads',
  'tf32',
  'precision',
  'recompute',
  'shardOptimizer',
  'shardCheckpoint',
  'workers',
  'patience',
  'maxRestarts',
  'mpirun',
  'onSaveError',
]
/** Flags that say how to run the command, not what the run is. */
const NOT_OF_THE_RUN: readonly (keyof TrainFlags)[] = ['config', 'out', 'resume', 'allowInexact', 'quiet', 'json']

/**
 * A run that is resumed with flags: its own settings, with those changes that are allowed. The engine is the caller's.
 *
 * @throws UsageError that names every flag which contradicts the run
 */
export function resumedRun(config: RunConfig, flags: TrainFlags, workers = 1): RunConfig {
  const given = withMicroBatch(flags, config, workers)
  const own = runFlags(config)
  const free = new Set([...MAY_CHANGE, ...NOT_OF_THE_RUN])
  const conflicts = (Object.keys(given) as (keyof TrainFlags)[])
    .filter((key) => !free.has(key) && given[key] !== own[key])
    .map((key) => `${flagOf(key)} ${short(given[key])} (the run has ${short(own[key])})`)
  if (conflicts.length > 0) {
    throw new UsageError(
      `a resumed run keeps its settings, but these contradict them: ${conflicts.join(', ')}; leave them out, or start a new run with another --out`,
    )
  }
  if (config.data.kind === 'latents' && (given.sampleEvery ?? null) !== null) {
    throw new UsageError(
      '--sample-every is for pictures; sample from a run of latents with `dit sample --run ... --vae`',
    )
  }
  if (given.objective !== undefined && !('module' in config.objective)) {
    throw new UsageError('--objective names a module, but this run trains a DiT; start a new run with another --out')
  }
  if (given.valEvery !== undefined && config.heldOut === undefined) {
    throw new UsageError('--val-every is for runs with --val-share, which a run has from its beginning or not at all')
  }
  if (denoisingOrNull(config) === null && (given.sampleEvery ?? null) !== null) throw new UsageError(NO_GRIDS)
  checkWorkers(workers, config.recipe.batchSize)
  const { checkpoint } = config
  const steps = given.steps ?? config.steps
  if (steps < config.steps) {
    throw new UsageError(
      `--steps ${steps} would shorten a run planned for ${config.steps} steps; it can only be extended`,
    )
  }
  return {
    ...config,
    steps,
    checkpoint: {
      every: given.checkpointEvery ?? checkpoint.every,
      keepLast: given.keepLast ?? checkpoint.keepLast,
      keepEvery: given.keepEvery === undefined ? checkpoint.keepEvery : given.keepEvery,
    },
    sampleEvery: given.sampleEvery === undefined ? config.sampleEvery : given.sampleEvery,
    ...(config.heldOut === undefined
      ? {}
      : { heldOut: { ...config.heldOut, every: given.valEvery ?? config.heldOut.every } }),
    recompute:
      given.recompute === undefined
        ? config.recompute
        : resolveRecompute(given, denoisingOrNull(config)?.model.depth ?? null),
    shardOptimizer: given.shardOptimizer ?? config.shardOptimizer ?? false,
    shardCheckpoint: given.shardCheckpoint ?? config.shardCheckpoint ?? false,
  }
}

/** A value for a message; a list of betas by its beginning. */
function short(value: TrainFlags[keyof TrainFlags]): string {
  const text = String(value ?? 'none')
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** Flags with `--accumulate` as the size of micro-batches that it means. */
function withMicroBatch({ accumulate, ...flags }: TrainFlags, config: RunConfig, workers: number): TrainFlags {
  if (accumulate === undefined) return flags
  return { ...flags, microBatch: Math.ceil(Math.ceil(config.recipe.batchSize / workers) / accumulate) }
}
