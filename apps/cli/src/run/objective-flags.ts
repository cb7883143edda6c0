import { CONDITION_SETTINGS } from '../settings/condition-settings.js'
import { EVALUATION_SETTINGS } from '../settings/evaluation-settings.js'
import { flagOf } from '../settings/flag-of.js'
import { PROCESS_SETTINGS } from '../settings/process-settings.js'
import { firstGiven } from '../settings/setting.js'
import { DATA_SETTINGS, MODEL_SETTINGS, type TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'

/**
 * What the functions of a module receive as `options`.
 */
export function optionsOf({ objectiveOptions }: TrainFlags): Readonly<Record<string, unknown>> {
  return objectiveOptions === undefined ? {} : (JSON.parse(objectiveOptions) as Readonly<Record<string, unknown>>)
}

/**
 * Checks that flags of a module are not given without one.
 *
 * @throws UsageError that names the flag
 */
export function checkNoModule({ objectiveOptions }: TrainFlags): void {
  if (objectiveOptions === undefined) return
  throw new UsageError('--objective-options needs --objective, the module that receives them')
}

/**
 * Checks that flags do not describe what a module decides.
 *
 * @param hasData whether the module brings data of its own
 * @throws UsageError that names the flag
 */
export function checkModuleFlags(flags: TrainFlags, hasData: boolean): void {
  const model = firstGiven({ ...MODEL_SETTINGS, ...PROCESS_SETTINGS, ...CONDITION_SETTINGS }, flags)
  if (model !== undefined) {
    throw new UsageError(
      `${flagOf(model)} describes a DiT, but --objective brings its own network; leave one of them out`,
    )
  }
  const data = hasData ? firstGiven(DATA_SETTINGS, flags) : undefined
  if (data !== undefined) {
    throw new UsageError(
      `${flagOf(data)} is for pictures, but the module of --objective exports its own data; leave it out`,
    )
  }
  if (!hasData) return
  const sampled =
    firstGiven(EVALUATION_SETTINGS, flags) ?? ((flags.sampleEvery ?? null) === null ? undefined : 'sampleEvery')
  if (sampled === undefined) return
  throw new UsageError(
    `${flagOf(sampled)} is for networks that make pictures, but the module of --objective exports its own data; leave it out`,
  )
}
