import type { DiTConfig } from '@dit/model'
import { countParameters, planMemory, type TrainingPlan, type WorkerMemory, type ZeroStage } from '@dit/scaling'
import type { PlanFlags } from '../commands/plan.js'
import { numWorkers } from '../job/thread-job.js'
import { denoisingOf } from './objective-config.js'
import { resolveRun, type RunPlan } from './resolve-run.js'
import { checkInput } from '../terminal/errors.js'
import { formatBytes, formatCount, formatTable } from '../terminal/format.js'
import { machineMemory } from '../terminal/machine-memory.js'

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
  /** Bytes that a worker may have. */
  readonly available: number
  /** The options given come first. */
  readonly rows: readonly PlannedRow[]
}

/** Resident bytes of `dit train` with an engine and no model: Node, its heap while batches are read, the program. */
export const PROCESS_BYTES = 105 * 2 ** 20

/**
 * Memory per worker for the options given, and for those that differ in one of them.
 *
 * @throws UsageError where `dit train` would refuse the options
 */
export function planTraining(flags: PlanFlags): PlannedTraining {
  const workers = numWorkers(flags.workers ?? 1)
  const run = resolveRun(flags, flags.classes ?? 1000, workers)
  const { batchSize } = run.recipe
  const { model } = denoisingOf(run, 'dit plan')
  const available = flags.memory === undefined ? machineMemory() : flags.memory * 2 ** 30
  const given = planOf(model, run, workers)
  const row = (name: string, plan: TrainingPlan, isAvailable = true): PlannedRow => {
    const memory = checkInput(() => planMemory(model, plan))
    return { name, memory, fits: memory.total <= available, isAvailable }
  }
  const rows = [row('as given', given), ...neighbours(model, given).map(([name, plan]) => row(name, plan))]
  if (workers > 1) {
    for (const stage of [2, 3] as const) rows.push(row(`ZeRO ${stage}`, { ...given, stage }, false))
  }
  return { workers, batchSize, parameters: countParameters(model).total, available, rows }
}

function planOf(
  model: DiTConfig,
  { recipe, recompute, shardOptimizer = false }: RunPlan,
  workers: number,
): TrainingPlan {
  const [height, width] = typeof model.inputSize === 'number' ? [model.inputSize, model.inputSize] : model.inputSize
  const stage: ZeroStage = shardOptimizer && workers > 1 ? 1 : 0
  return {
    workers,
    batchSize: recipe.batchSize,
    microBatchSize: recipe.microBatchSize ?? Math.ceil(recipe.batchSize / workers),
    recompute,
    stage,
    imageBytes: model.inChannels * height * width * Float32Array.BYTES_PER_ELEMENT,
    processBytes: PROCESS_BYTES,
  }
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

export function planLines({ workers, batchSize, parameters, available, rows }: PlannedTraining): string[] {
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
    `${formatCount(parameters)} parameters, ${workers} worker${workers === 1 ? '' : 's'}, ${formatCount(batchSize)} examples per step`,
    `memory per worker in float32; available: ${formatBytes(available)}`,
    '',
    ...formatTable([head, ...rows.map(cells)], right),
    '',
    'other: transfers between workers, batches, and the process itself',
  ]
}
