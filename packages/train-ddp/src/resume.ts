import { onRankZero, sharedText } from '@dit/collectives'
import type { SavedCounters } from './checkpoint/counters.js'
import { resumeDifferences } from './checkpoint/differences.js'
import { findCheckpoint, loadTensors, readCounters } from './checkpoint/load.js'
import type { BestCheckpoint } from './checkpoint/best.js'
import { InexactResumeError } from './events.js'
import type { LossScale } from './loss-scale.js'
import type { TrainOptions } from './options.js'
import { type LogMark, logProblem, type LogWriter, openLog, type StepRecord } from './run/log.js'
import type { RunStore } from './run/run-store.js'
import type { StateSetting, TrainState } from './state.js'
import type { StepSetting } from './step.js'

/** What a run begins from. */
export interface Beginning {
  readonly log: LogWriter | null
  /** Of the checkpoint, if there is one. */
  readonly path: string | null
  readonly notices: readonly string[]
}

/** What rank 0 tells the others about the checkpoint that a run goes on from. */
interface Resumption {
  readonly path: string
  readonly step: number
  readonly objectiveState: unknown
  readonly lossScale?: LossScale | undefined
  readonly best?: BestCheckpoint | undefined
  readonly pending?: StepRecord | undefined
  readonly notices: readonly string[]
}

type Setting = StepSetting & StateSetting

/** Fills the state from the newest whole checkpoint and opens the log where that was written. Every rank calls it. */
export async function resume(
  options: TrainOptions,
  setting: Setting,
  store: RunStore | undefined,
  state: TrainState,
): Promise<Beginning> {
  const { communicator } = setting
  let mark: LogMark = { bytes: 0, step: 0 }
  const find = async (): Promise<Resumption | null> => {
    const found = await findResumption(options, setting, store!, state)
    if (found === null) return null
    const { step, objectiveState, lossScale, best, pending } = found.counters
    mark = markOf(found.counters)
    return { path: found.path, notices: found.notices, step, objectiveState, lossScale, best, pending }
  }
  const found = await onRankZero(communicator, find, async () => {})
  const text = await sharedText(communicator, JSON.stringify(found ?? null))
  const resumption = JSON.parse(text) as Resumption | null
  if (resumption !== null) {
    await loadTensors(communicator, store, resumption.path, state)
    state.step = resumption.step
    state.objective = resumption.objectiveState
    state.pending = resumption.pending ?? null
    state.best = bestFor(options, resumption.best)
    // Another engine may have no scale; a checkpoint of another engine has none.
    if (state.lossScale !== null) state.lossScale = resumption.lossScale ?? state.lossScale
  }
  const log = store === undefined ? null : await openLog(store, mark)
  return { log, path: resumption?.path ?? null, notices: resumption?.notices ?? [] }
}

/** The newest whole checkpoint, if a run may go on from it. */
async function findResumption(
  options: TrainOptions,
  setting: Setting,
  store: RunStore,
  state: TrainState,
): Promise<{ path: string; counters: SavedCounters; notices: string[] } | null> {
  const { resume: mode = 'auto', allowInexact = false } = options
  const found = await findCheckpoint(store)
  if (found === null) return null
  if (mode === 'never') throw new RangeError(`train: ${store.location} already holds a run (at step ${found.step})`)
  const counters = await readCounters(store, found.path)
  const differences = resumeDifferences(counters, countersOf(setting, state))
  const problem = await logProblem(store, markOf(counters))
  const inexact = [...differences, ...(problem === null ? [] : [problem])]
  if (inexact.length > 0 && !allowInexact) {
    throw new InexactResumeError(
      `train: resuming ${found.path} would not repeat an uninterrupted run: ${inexact.join('; ')}. Resume anyway with allowInexact (--allow-inexact)`,
    )
  }
  const notices = [...found.notices, ...inexact.map((why) => `resumed inexactly: ${why}`)]
  return { path: found.path, counters, notices }
}

function markOf({ logBytes, step, pending }: SavedCounters): LogMark {
  return { bytes: logBytes, step: pending === undefined ? step : step - 1 }
}

/** The best checkpoint of a resumed run; null where it keeps none now, or by another measure. */
function bestFor({ checkpoint }: TrainOptions, best: BestCheckpoint | undefined): BestCheckpoint | null {
  const { keepBest } = checkpoint ?? {}
  return best?.measure === keepBest?.measure && best?.better === keepBest?.better ? (best ?? null) : null
}

/** `state.json` of the state, but for the bytes of the log. */
export function countersOf(
  { objective, optimizer, recipe, backend, seed, steps, communicator, shardOptimizer }: Setting,
  state: TrainState,
): Omit<SavedCounters, 'logBytes'> {
  const { size: workers, name } = communicator
  return {
    format: 'dit-state-2',
    step: state.step,
    seed,
    steps,
    engine: backend.name,
    objective: plain(objective.spec),
    optimizer: plain({ name: optimizer.name, ...notOfRecipe(optimizer.spec ?? {}, recipe) }),
    recipe: plain(recipe),
    objectiveState: plain(state.objective),
    ...(state.lossScale === null ? {} : { lossScale: state.lossScale }),
    parallel: { workers, communicator: name, shardOptimizer: shardOptimizer && workers > 1 },
    ...(state.best === null ? {} : { best: state.best }),
    ...(state.pending === null ? {} : { pending: state.pending }),
  }
}

/** Settings of an optimizer that the recipe does not hold already, as it holds those of AdamW. */
function notOfRecipe(spec: object, recipe: object): object {
  const held = recipe as Readonly<Record<string, unknown>>
  return Object.fromEntries(Object.entries(spec).filter(([name, value]) => held[name] !== value))
}

/** As it comes back from a file. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
