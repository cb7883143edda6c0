import { countedNetwork, type DiTConfig } from '@dit/model'
import { countParameters, planMemory, type TrainingPlan, type WorkerMemory } from '@dit/scaling'
import type { PlanFlags } from '../commands/plan.js'
import { numWorkers } from '../job/thread-job.js'
import { FINE_TUNE_SETTINGS } from '../settings/fine-tune-settings.js'
import { flagOf } from '../settings/flag-of.js'
import { DATA_SETTINGS } from '../settings/train-settings.js'
import { firstGiven } from '../settings/setting.js'
import { denoisingOf } from './objective-config.js'
import { countPictures } from './open-data.js'
import { findLatents } from './open-latents.js'
import { latentSize } from './prepare-training.js'
import { type LatentSize, resolveRun } from './resolve-run.js'
import { workerPlan } from './worker-plan.js'
import { checkInput, UsageError } from '../terminal/errors.js'
import { formatBytes, formatCount, formatCounted, formatTable } from '../terminal/format.js'
import { machineMemory } from '../terminal/machine-memory.js'
import type { Output } from '../terminal/output.js'

/** A way to train, and what a worker needs for it. */
export interface PlannedRow {
  readonly name: string
  readonly memory: WorkerMemory
  readonly fits: boolean
  /** False for what `dit train` does not have. */
  readonly isAvailable: boolean
}

export interface PlannedTraining {
  readonly workers: number
  readonly batchSize: number
  readonly parameters: number
  readonly classes: number
  /** What may not be meant. */
  readonly notices: readonly string[]
  /** Bytes that a worker may have. */
  readonly available: number
  /** The options given come first. */
  readonly rows: readonly PlannedRow[]
}

/** What the data tell of a run. */
export interface PlannedData {
  readonly classes: number
  /** Pictures or latents, where the data tell it. */
  readonly pictures?: number
  readonly latents?: LatentSize
}

/** Classes where neither the data nor a flag tells them: those of ImageNet. */
const CLASSES = 1000

/**
 * What the data that flags name would tell; a folder of pictures is searched, but no picture is read.
 *
 * @throws UsageError where the folder cannot serve, or has another number of classes than a flag says
 */
export async function plannedData(flags: PlanFlags, output: Pick<Output, 'line'>): Promise<PlannedData> {
  const latents = await latentSize(flags)
  const { classes: told, pictures } = await countsOf(flags, output)
  if (told !== undefined && flags.classes !== undefined && flags.classes !== told) {
    throw new UsageError(
      `--classes ${flags.classes}: ${flags.latents ?? flags.data} has ${told} classes; leave one of the two out`,
    )
  }
  if (flags.epochs !== undefined && pictures === undefined) {
    throw new UsageError('--epochs needs --data or --latents, which tell how many pictures there are')
  }
  return {
    classes: told ?? flags.classes ?? CLASSES,
    ...(pictures === undefined ? {} : { pictures }),
    ...(latents === undefined ? {} : { latents }),
  }
}

/** Classes and pictures of the data that flags name. */
async function countsOf(
  { data, latents, classNames, size = DATA_SETTINGS.size.default }: PlanFlags,
  output: Pick<Output, 'line'>,
): Promise<{ readonly classes?: number; readonly pictures?: number }> {
  if (latents !== undefined) {
    const { classes, length } = await findLatents(latents)
    return { classes: classes.length, pictures: length }
  }
  if (data === undefined) return {}
  return countPictures({ data, classNames, size }, output)
}

/**
 * Memory per worker for the options given, and for those that differ in one of them.
 *
 * @throws UsageError where `dit train` would refuse the options
 */
export function planTraining(
  flags: PlanFlags,
  { classes, latents }: PlannedData = { classes: flags.classes ?? CLASSES },
): PlannedTraining {
  const fineTune = firstGiven(FINE_TUNE_SETTINGS, flags)
  if (fineTune !== undefined) {
    throw new UsageError(
      `${flagOf(fineTune)} is for \`dit train\`, which says what fine-tuning keeps in memory; plan a training of all weights with their --model, or --hidden and --depth`,
    )
  }
  const workers = numWorkers(flags.workers ?? 1)
  const run = resolveRun(flags, classes, workers, latents)
  const { batchSize } = run.recipe
  const { model } = denoisingOf(run, 'dit plan')
  const available = flags.memory === undefined ? machineMemory() : flags.memory * 2 ** 30
  const given = workerPlan(model, run, workers)
  const network = countedNetwork(model)
  const row = (name: string, plan: TrainingPlan, isAvailable = true): PlannedRow => {
    const memory = checkInput(() => planMemory(network, plan))
    return { name, memory, fits: memory.total <= available, isAvailable }
  }
  const rows = [row('as given', given), ...neighbours(model, given).map(([name, plan]) => row(name, plan))]
  if (workers > 1) {
    for (const stage of [2, 3] as const) rows.push(row(`ZeRO ${stage}`, { ...given, stage }, false))
  }
  const { total: parameters } = countParameters(network)
  const notices = latents === undefined && flags.model !== undefined ? pixelNotice(flags.model, model) : []
  return { workers, batchSize, parameters, classes, notices, available, rows }
}

/** Tokens of a picture in the paper, at most: those of patch 2 at 512 pixels. */
const MANY_TOKENS = 1024

/** The paper's models read latents; one on large pixels takes many times more of everything. */
function pixelNotice(name: string, { inputSize, patchSize }: DiTConfig): string[] {
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  const tokens = (height / patchSize) * (width / patchSize)
  if (tokens <= MANY_TOKENS) return []
  return [
    `${width}x${height} pixels are ${formatCount(tokens)} tokens, 64 times those of latents. The ${name} of the paper reads ` +
      'latents of 1/8 of the side: make them with `dit encode` and give --latents <folder>, or plan for their size with ' +
      `--size ${width / 8}`,
  ]
}

/** Plans that differ from the given one in a single option. */
function neighbours(model: DiTConfig, given: TrainingPlan): [name: string, plan: TrainingPlan][] {
  const { workers, batchSize, stage, microBatchSize = batchSize } = given
  const half = Math.ceil(Math.min(microBatchSize, Math.ceil(batchSize / workers)) / 2)
  const all: [string, Partial<TrainingPlan>][] = [
    ['--recompute none', { recompute: 'none' }],
    [`--recompute ${Math.floor(model.depth / 2)}`, { recompute: Math.floor(model.depth / 2) }],
    ['--recompute block', { recompute: 'block' }],
    ...(workers === 1
      ? []
      : (
          [[stage === 1 ? 'without --shard-optimizer' : '--shard-optimizer', { stage: stage === 1 ? 0 : 1 }]] as const
        ).map(([name, change]): [string, Partial<TrainingPlan>] => [name, change])),
    [`--micro-batch ${half}`, { microBatchSize: half }],
    ...((2 * workers <= batchSize
      ? [[`${2 * workers} workers`, { workers: 2 * workers, microBatchSize: half }]]
      : []) as [string, Partial<TrainingPlan>][]),
  ]
  return all
    .map(([name, change]): [string, TrainingPlan] => [name, { ...given, ...change }])
    .filter(([, plan]) => JSON.stringify(plan) !== JSON.stringify(given))
}

export function planLines({ workers, batchSize, parameters, classes, available, rows }: PlannedTraining): string[] {
  const cells = ({ name, memory, fits, isAvailable }: PlannedRow) => [
    name,
    ...[memory.total, memory.parameters, memory.gradients, memory.optimizer, memory.ema, memory.activations].map(
      formatBytes,
    ),
    formatBytes(memory.transfers + memory.batches + memory.process),
    `${fits ? 'fits' : 'too large'}${isAvailable ? '' : ', not in dit train'}`,
  ]
  const head = ['', 'peak', 'parameters', 'gradients', 'AdamW', 'EMA', 'activations', 'other', '']
  const right = [false, true, true, true, true, true, true, true, false]
  return [
    `${formatCount(parameters)} parameters, ${formatCounted(classes, 'class', 'classes')}, ${formatCounted(workers, 'worker', 'workers')}, ${formatCounted(batchSize, 'example', 'examples')} per step`,
    `memory per worker in float32; available: ${formatBytes(available)}`,
    '',
    ...formatTable([head, ...rows.map(cells)], right),
    '',
    'other: transfers between workers, batches, and the process itself',
  ]
}
