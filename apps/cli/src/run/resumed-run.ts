import { resumedEvaluation } from '../in-training/resumed-evaluation.js'
import { EVALUATION_SETTINGS } from '../settings/evaluation-settings.js'
import { flagOf } from '../settings/flag-of.js'
import { familyOf, keep, keptFlag, placeOf, valueAt } from '../settings/run-setting.js'
import { TRAIN_ROWS, type TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'
import { formatCount } from '../terminal/format.js'
import { checkSameDropout } from './conditions.js'
import { denoisingOrNull, processOfRun } from './objective-config.js'
import { checkLength } from './run-length.js'
import { checkRecompute, checkWorkers } from './resolve-run.js'
import type { RunConfig } from './run-config.js'

type FlagValue = TrainFlags[keyof TrainFlags]

/**
 * A run that is resumed with flags: its own settings, with those changes that are allowed. The engine is the caller's.
 *
 * @throws UsageError that names every flag which contradicts the run
 */
export function resumedRun(config: RunConfig, flags: TrainFlags, workers = 1): RunConfig {
  checkLength(flags)
  for (const name of ['minutes', 'epochs'] as const) {
    if (flags[name] === undefined || flags[name] === config.stepsFrom?.[name]) continue
    throw new UsageError(
      `${flagOf(name)} fixes the length of a new run, but this one has its ${formatCount(config.steps)} steps; make it longer or shorter with --steps`,
    )
  }
  const given = withMicroBatch(flags, config, workers)
  checkSame(config, given)
  checkSameDropout(denoisingOrNull(config)?.model.conditions, given)
  if (config.data.kind === 'latents' && (given.sampleEvery ?? null) !== null) {
    throw new UsageError(
      '--sample-every works only for pictures; sample a run of latents with `dit sample <run> --vae <autoencoder>`',
    )
  }
  if (given.objective !== undefined && !('module' in config.objective)) {
    throw new UsageError(
      '--objective names a module, but this run trains a DiT; start a new run with a different --out',
    )
  }
  if (given.valEvery !== undefined && config.heldOut === undefined) {
    throw new UsageError('--val-every needs --val-share, which must be given when a run begins')
  }
  if (processOfRun(config) === null && (given.sampleEvery ?? null) !== null) {
    throw new UsageError('--sample-every works only for networks that denoise; leave it out')
  }
  checkWorkers(workers, config.recipe.batchSize)
  checkRecompute(given.recompute, denoisingOrNull(config)?.model.depth ?? null)
  const evaluation = resumedEvaluation(config, given)
  const changed = { ...withChanges(config, given), ...(evaluation === undefined ? {} : { evaluation }) }
  const { stepsFrom: _, ...rest } = changed
  return changed.steps === config.steps ? changed : rest
}

/** Throws for flags that contradict the run. */
function checkSame(config: RunConfig, given: TrainFlags): void {
  const conflicts = (Object.entries(given) as [string, FlagValue][])
    .map(([key, value]) => ({ key, value, own: keptFlag(TRAIN_ROWS[key], config) as FlagValue }))
    .filter(({ key }) => config.evaluation !== undefined || !(key in EVALUATION_SETTINGS))
    .filter(({ key, value, own }) => TRAIN_ROWS[key].mayChange !== true && value !== own)
    .map(({ key, value, own }) => `${flagOf(key)} ${short(value)} (the run has ${short(own)})`)
  if (conflicts.length === 0) return
  throw new UsageError(
    `a resumed run keeps its settings, but these differ: ${conflicts.join(', ')}; leave them out, or start a new run with a different --out`,
  )
}

/** The run with what may change as it is given now. */
function withChanges(config: RunConfig, given: TrainFlags): RunConfig {
  const changed = structuredClone(config)
  for (const [key, setting] of Object.entries(TRAIN_ROWS)) {
    const place = placeOf(setting, familyOf(config))
    if (setting.mayChange !== true || place === undefined || key in EVALUATION_SETTINGS) continue
    const value = given[key as keyof TrainFlags]
    if (value !== undefined) keep(changed, place, setting, value)
    else if (setting.isOptional === true && valueAt(changed, place) === undefined) {
      keep(changed, place, setting, setting.default)
    }
  }
  return changed
}

/** A value for a message; a list of betas by its beginning. */
function short(value: FlagValue): string {
  const text = String(value ?? 'none')
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** Flags with `--accumulate` as the size of micro-batches that it means. */
function withMicroBatch({ accumulate, ...flags }: TrainFlags, config: RunConfig, workers: number): TrainFlags {
  if (accumulate === undefined) return flags
  return { ...flags, microBatch: Math.ceil(Math.ceil(config.recipe.batchSize / workers) / accumulate) }
}
