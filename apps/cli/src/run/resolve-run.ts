import { checkConfig, type DiTConfig, ditConfig } from '@dit/model'
import {
  checkRecipe,
  completeProcess,
  type KnownSpec,
  objectiveFromSpec,
  RECIPES,
  type TimestepSampler,
  type TrainRecipe,
} from '@dit/train-ddp'
import { parseBetas } from '../settings/betas-file.js'
import { flagOf } from '../settings/flag-of.js'
import { parseLossWeight } from '../settings/loss-weight.js'
import { TRAIN_DEFAULTS, type TrainFlags } from '../settings/train-options.js'
import { checkInput, UsageError } from '../terminal/errors.js'
import { isFlow } from './objective-config.js'
import type { RunConfig } from './run-config.js'

/** Latents that a run is trained on in place of pictures. */
export interface LatentSize {
  readonly channels: number
  readonly size: number
}

/** What flags decide alone; the data decide the classes. */
export type RunPlan = Omit<RunConfig, 'format' | 'data' | 'classes' | 'engine' | 'versions'>

/** What flags decide whatever is trained. */
export type CommonPlan = Omit<RunPlan, 'modelName' | 'objective' | 'sampleEvery' | 'recompute'>

/**
 * The run that flags describe, checked.
 *
 * @param numClasses of the data
 * @param workers that share a batch
 * @param latents what the data are in place of pictures; of them no grids of samples are made
 * @throws UsageError that names what cannot be
 */
export function resolveRun(flags: TrainFlags, numClasses: number, workers = 1, latents?: LatentSize): RunPlan {
  const process = resolveProcess(flags)
  const model = resolveModel(flags, process, numClasses, latents)
  const timestepSampler = (flags.timestepSampler ?? 'uniform') as TimestepSampler
  const objective: KnownSpec = {
    kind: 'denoising',
    network: { kind: 'dit', config: model },
    process,
    timestepSampler,
  }
  checkInput(() => objectiveFromSpec(objective))
  const isPictures = latents === undefined
  const { sampleEvery = TRAIN_DEFAULTS.sampleEvery } = flags
  return {
    modelName: flags.model ?? null,
    objective,
    ...resolveCommon(flags, workers),
    sampleEvery: isPictures ? sampleEvery : null,
    recompute: resolveRecompute(flags, model.depth),
  }
}

/**
 * The part of a run that does not depend on what is trained, checked.
 *
 * @throws UsageError that names what cannot be
 */
export function resolveCommon(flags: TrainFlags, workers: number): CommonPlan {
  const recipe = resolveRecipe(flags, workers)
  checkWorkers(workers, recipe.batchSize)
  return {
    recipe,
    flip: flags.flip ?? TRAIN_DEFAULTS.flip,
    seed: flags.seed ?? TRAIN_DEFAULTS.seed,
    steps: flags.steps ?? TRAIN_DEFAULTS.steps,
    checkpoint: {
      every: flags.checkpointEvery ?? TRAIN_DEFAULTS.checkpointEvery,
      keepLast: flags.keepLast ?? TRAIN_DEFAULTS.keepLast,
      keepEvery: flags.keepEvery ?? TRAIN_DEFAULTS.keepEvery,
    },
    ...resolveHeldOut(flags),
    ...((flags.shardOptimizer ?? TRAIN_DEFAULTS.shardOptimizer) ? { shardOptimizer: true } : {}),
    ...((flags.shardCheckpoint ?? TRAIN_DEFAULTS.shardCheckpoint) ? { shardCheckpoint: true } : {}),
  }
}

function resolveHeldOut({ valShare, valEvery }: TrainFlags): Pick<RunConfig, 'heldOut'> {
  if (valShare !== undefined) return { heldOut: { share: valShare, every: valEvery ?? TRAIN_DEFAULTS.valEvery } }
  if (valEvery !== undefined)
    throw new UsageError('--val-every needs --val-share, the share of the pictures to hold out')
  return {}
}

/**
 * Checks that every worker has something of a batch.
 *
 * @throws UsageError
 */
export function checkWorkers(workers: number, batchSize: number): void {
  if (workers <= batchSize) return
  throw new UsageError(`a batch of ${batchSize} is too small for ${workers} workers; raise --batch, or start fewer`)
}

/**
 * Blocks to compute twice, as `--recompute` says.
 *
 * @param depth null where only the trainer knows it
 */
export function resolveRecompute(
  { recompute = TRAIN_DEFAULTS.recompute }: TrainFlags,
  depth: number | null,
): RunPlan['recompute'] {
  if (typeof recompute === 'boolean') return recompute ? 'block' : 'none'
  if (typeof recompute === 'number' && depth !== null && recompute > depth) {
    throw new UsageError(`--recompute ${recompute}: the model has ${depth} blocks`)
  }
  return recompute
}

/** Examples of a micro-batch, as `--micro-batch` or `--accumulate` say. */
function resolveMicroBatch({ microBatch, accumulate }: TrainFlags, batch: number, workers: number): number | undefined {
  if (accumulate === undefined) return microBatch
  if (microBatch !== undefined) {
    throw new UsageError('--accumulate and --micro-batch both say how a batch is cut; leave one of them out')
  }
  const share = Math.ceil(batch / workers)
  if (accumulate > share) throw new UsageError(`--accumulate ${accumulate}: a worker has ${share} examples of a batch`)
  return Math.ceil(share / accumulate)
}

function resolveRecipe(flags: TrainFlags, workers: number): TrainRecipe {
  const name = flags.recipe ?? TRAIN_DEFAULTS.recipe
  const base = RECIPES[name]
  if (base === undefined) throw new UsageError(`unknown recipe ${name}; there are ${Object.keys(RECIPES).join(', ')}`)
  const changes: Partial<Record<keyof TrainRecipe, unknown>> = {
    batchSize: flags.batch,
    microBatchSize: resolveMicroBatch(flags, flags.batch ?? base.batchSize, workers),
    learningRate: flags.lr,
    warmupSteps: flags.warmup,
    decay: flags.decay,
    finalLearningRate: flags.finalLr,
    beta1: flags.beta1,
    beta2: flags.beta2,
    epsilon: flags.epsilon,
    weightDecay: flags.weightDecay,
    maxGradientNorm: flags.clip,
    emaDecay: flags.ema,
    emaWarmup: flags.emaWarmup,
  }
  const recipe = { ...base, ...present(changes) } as TrainRecipe
  checkInput(() => checkRecipe(recipe))
  return recipe
}

function resolveProcess(flags: TrainFlags): KnownSpec['process'] {
  if (flags.process === 'flow') return resolveFlow(flags)
  const stray = OF_A_FLOW.find((name) => flags[name] !== undefined)
  if (stray !== undefined) throw new UsageError(`${flagOf(stray)} is for --process flow`)
  if (flags.predict === 'velocity' || flags.predict === 'score') {
    throw new UsageError(`--predict ${flags.predict} is for --process flow`)
  }
  const { betas, lossWeight } = flags
  const other = (['schedule', 'timesteps', 'betaStart', 'betaEnd'] as const).find((name) => flags[name] !== undefined)
  if (betas !== undefined && other !== undefined) {
    throw new UsageError(`--betas takes the place of ${flagOf(other)}; leave one of them out`)
  }
  checkLinear(flags)
  const process = {
    schedule: flags.schedule,
    numTimesteps: flags.timesteps,
    betaStart: flags.betaStart,
    betaEnd: flags.betaEnd,
    betas: betas === undefined ? undefined : parseBetas(betas),
    meanType: flags.predict,
    varianceType: flags.variance,
    lossType: flags.loss,
    lossWeight: lossWeight === undefined ? undefined : parseLossWeight(lossWeight),
  }
  return checkInput(() => completeProcess(present(process) as Parameters<typeof completeProcess>[0]))
}

/** Throws where the betas of `linear` leave no signal at the end, which nobody means who predicts x0. */
function checkLinear({ schedule = 'linear', timesteps = 1000, betas, betaStart, betaEnd }: TrainFlags): void {
  const isScaled = schedule === 'linear' && betas === undefined && betaStart === undefined && betaEnd === undefined
  if (!isScaled || timesteps > 20) return
  throw new UsageError(
    `--timesteps ${timesteps}: linear needs at least 21 timesteps, as its last beta is ${20 / timesteps} there and must stay below 1; betas that end in 1 on purpose are given with --betas`,
  )
}

/** Flags of one family of processes. */
const OF_A_FLOW = ['path', 'weighting', 'times', 'timeShift'] as const
const OF_A_GAUSSIAN = [
  'schedule',
  'timesteps',
  'betaStart',
  'betaEnd',
  'betas',
  'variance',
  'loss',
  'lossWeight',
  'timestepSampler',
] as const

function resolveFlow({ path, predict, weighting, times, timeShift, ...flags }: TrainFlags): KnownSpec['process'] {
  const stray = OF_A_GAUSSIAN.find((name) => flags[name] !== undefined)
  if (stray !== undefined) throw new UsageError(`${flagOf(stray)} is for --process gaussian`)
  if (predict === 'previousX') throw new UsageError('--predict previousX is for --process gaussian')
  const shift = timeShift === undefined ? {} : { shift: timeShift }
  const process = {
    kind: 'flow',
    // The convention of SiT, so that other programs know the weights.
    networkTime: 'towardsData',
    interpolant: path,
    prediction: predict,
    weighting,
    times: times === undefined && timeShift === undefined ? undefined : { law: times ?? 'uniform', ...shift },
  }
  return checkInput(() => completeProcess(present(process) as Parameters<typeof completeProcess>[0]))
}

function resolveModel(
  flags: TrainFlags,
  process: KnownSpec['process'],
  numClasses: number,
  latents?: LatentSize,
): DiTConfig {
  const own = {
    patchSize: flags.patch,
    hiddenSize: flags.hidden,
    depth: flags.depth,
    numHeads: flags.heads,
    mlpRatio: flags.mlpRatio,
  }
  const fixed = {
    inputSize: latents?.size ?? flags.size ?? TRAIN_DEFAULTS.size,
    inChannels: latents?.channels ?? 3,
    numClasses,
    classDropout: flags.classDropout ?? TRAIN_DEFAULTS.classDropout,
    learnSigma: !isFlow(process) && process.varianceType!.startsWith('learned'),
  }
  const { patch: patchSize, hidden: hiddenSize, heads: numHeads, depth, mlpRatio } = TRAIN_DEFAULTS
  return checkInput(() => {
    const config =
      flags.model === undefined
        ? { patchSize, hiddenSize, depth, numHeads, mlpRatio, ...fixed, ...present(own) }
        : ditConfig(flags.model, { ...fixed, ...present(own) })
    if (fixed.inputSize % config.patchSize !== 0) {
      throw new UsageError(
        `${latents === undefined ? '--size' : 'the side of the latents,'} ${fixed.inputSize} is not a multiple of the patch side ${config.patchSize} (--patch)`,
      )
    }
    checkConfig(config)
    return config
  })
}

function present<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}
