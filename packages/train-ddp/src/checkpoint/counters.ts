import type { DiTConfig } from '@dit/model'
import type { LossHistory } from '@dit/schedules'
import type { LossScale } from '../loss-scale.js'
import type { TrainRecipe } from '../recipe.js'
import { CHECKPOINT_FILES } from './names.js'

/** What `state.json` holds beside the tensors: all that resuming needs. */
export interface SavedCounters {
  readonly format: 'dit-state-1'
  readonly step: number
  readonly seed: number
  /** Length of the run that the learning rate was planned for. */
  readonly steps: number
  /** Engine whose arithmetic made this state; another one continues it within rounding only. */
  readonly engine: string
  readonly model: DiTConfig
  readonly recipe: TrainRecipe
  /** Bytes of `log.jsonl` that belong to this state. */
  readonly logBytes: number
  readonly lossHistory: LossHistory | null
  /** Absent where the engine has none. */
  readonly lossScale?: LossScale
  /** Workers that made this state; absent means one. */
  readonly parallel?: SavedParallel
}

/** What the order of sums between workers depends on. */
export interface SavedParallel {
  readonly workers: number
  /** `single`, `threads`, `openmpi` or `mpich`. */
  readonly communicator: string
  readonly shardOptimizer: boolean
}

/**
 * Reads `state.json`.
 *
 * @param step of the checkpoint's folder
 * @returns the counters, or one line that says what is wrong with them
 */
export function parseCounters(bytes: Uint8Array, step: number): SavedCounters | string {
  const name = CHECKPOINT_FILES.state
  let counters: Partial<SavedCounters> | null
  try {
    counters = JSON.parse(new TextDecoder().decode(bytes)) as Partial<SavedCounters> | null
  } catch {
    return `${name} is not valid JSON`
  }
  if (counters?.format !== 'dit-state-1') return `${name} has the unknown format ${JSON.stringify(counters?.format)}`
  if (counters.step !== step) return `${name} is of step ${JSON.stringify(counters.step)}`
  for (const field of ['seed', 'steps', 'logBytes'] as const) {
    const value = counters[field]
    if (!Number.isSafeInteger(value) || value! < 0) return `${name} has the wrong ${field} ${JSON.stringify(value)}`
  }
  for (const field of ['model', 'recipe', 'lossHistory'] as const) {
    if (typeof counters[field] !== 'object') return `${name} has the wrong ${field} ${JSON.stringify(counters[field])}`
  }
  const { lossScale } = counters
  if (lossScale !== undefined && !(Number.isInteger(Math.log2(lossScale?.value)) && lossScale.goodSteps >= 0)) {
    return `${name} has the wrong lossScale ${JSON.stringify(lossScale)}`
  }
  return counters as SavedCounters
}
