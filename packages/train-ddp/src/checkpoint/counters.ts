import type { LossScale } from '../loss-scale.js'
import { specFromVersion1, type Version1 } from '../objective/from-spec.js'
import type { TrainRecipe } from '../recipe.js'
import type { StepRecord } from '../run/log.js'
import { type BestCheckpoint, isBest } from './best.js'
import { CHECKPOINT_FILES } from './names.js'

/** What `state.json` holds beside the tensors: all that resuming needs. */
export interface SavedCounters {
  readonly format: 'dit-state-2'
  readonly step: number
  readonly seed: number
  /** Length of the run that the learning rate was planned for. */
  readonly steps: number
  /** Engine whose arithmetic made this state; another one continues it within rounding only. */
  readonly engine: string
  /** `spec` of the objective. */
  readonly objective: object
  /** Name and settings of the optimizer. */
  readonly optimizer: SavedOptimizer
  readonly recipe: TrainRecipe
  /** Bytes of `log.jsonl` that belong to this state. */
  readonly logBytes: number
  /** What the objective's draws know: plain data. */
  readonly objectiveState: unknown
  /** Absent where the engine has none. */
  readonly lossScale?: LossScale
  /** Workers that made this state; absent means one. */
  readonly parallel?: SavedParallel
  /** The best checkpoint up to this one, where the run keeps one. */
  readonly best?: BestCheckpoint
  /** The record of this step, where the run was stopped before it was measured: the log ends with the step before. */
  readonly pending?: StepRecord
}

export interface SavedOptimizer {
  readonly name: string
  readonly [setting: string]: unknown
}

/** What the order of sums between workers depends on. */
export interface SavedParallel {
  readonly workers: number
  /** `single`, `threads`, `openmpi` or `mpich`. */
  readonly communicator: string
  readonly shardOptimizer: boolean
}

const FORMATS: readonly unknown[] = ['dit-state-1', 'dit-state-2']

/**
 * Reads `state.json`, of format 2 or 1.
 *
 * @param step of the checkpoint's folder
 * @returns the counters in format 2, or one line that says what is wrong with them
 */
export function parseCounters(bytes: Uint8Array, step: number): SavedCounters | string {
  const name = CHECKPOINT_FILES.state
  let counters: Record<string, unknown> | null
  try {
    counters = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown> | null
  } catch {
    return `${name} is not valid JSON`
  }
  if (!FORMATS.includes(counters?.format)) return `${name} has the unknown format ${JSON.stringify(counters?.format)}`
  const wrong = (field: string) => `${name} has the wrong ${field} ${JSON.stringify(counters![field])}`
  if (counters!.step !== step) return `${name} is of step ${JSON.stringify(counters!.step)}`
  for (const field of ['seed', 'steps', 'logBytes']) {
    if (!Number.isSafeInteger(counters![field]) || (counters![field] as number) < 0) return wrong(field)
  }
  const isFirst = counters!.format === 'dit-state-1'
  for (const field of isFirst ? ['model', 'recipe'] : ['objective', 'optimizer', 'recipe']) {
    if (typeof counters![field] !== 'object' || counters![field] === null) return wrong(field)
  }
  if (isFirst && typeof counters!.lossHistory !== 'object') return wrong('lossHistory')
  if (!isFirst && counters!.objectiveState === undefined) return wrong('objectiveState')
  const { lossScale } = counters as Partial<SavedCounters>
  if (lossScale !== undefined && !(Number.isInteger(Math.log2(lossScale?.value)) && lossScale.goodSteps >= 0)) {
    return wrong('lossScale')
  }
  const { best, pending } = counters as Partial<SavedCounters>
  if (best !== undefined && !isBest(best ?? {})) return wrong('best')
  if (pending !== undefined && pending?.step !== step) return wrong('pending')
  if (!isFirst) return counters as unknown as SavedCounters
  try {
    return fromVersion1(counters as unknown as CountersVersion1)
  } catch (error) {
    return `${name} cannot be read as format 1: ${(error as Error).message}`
  }
}

type CountersVersion1 = Omit<SavedCounters, 'format' | 'objective' | 'objectiveState' | 'recipe'> &
  Version1 & { readonly lossHistory: unknown; readonly recipe: TrainRecipe & Version1['recipe'] }

/** Format 1 had the process and the timestep sampler in the recipe, the losses that the sampler remembers at the top, and AdamW. */
function fromVersion1({ model, recipe, lossHistory, ...rest }: CountersVersion1): SavedCounters {
  const { diffusion: _diffusion, timestepSampler: _sampler, ...own } = recipe
  return {
    ...rest,
    format: 'dit-state-2',
    objective: specFromVersion1({ model, recipe }),
    optimizer: { name: 'adamw' },
    recipe: own,
    objectiveState: lossHistory,
  }
}
