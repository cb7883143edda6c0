import { flagOf } from '../settings/flag-of.js'
import { PROCESS_SETTINGS } from '../settings/process-settings.js'
import { firstGiven } from '../settings/setting.js'
import { DATA_SETTINGS, MODEL_SETTINGS, type TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'

export const NO_GRIDS =
  '--sample-every is for the DiTs of dit; the networks of --objective are sampled by your own code'

/**
 * Checks that flags do not describe what a module decides.
 *
 * @param hasData whether the module brings data of its own
 * @throws UsageError that names the flag
 */
export function checkModuleFlags(flags: TrainFlags, hasData: boolean): void {
  const model = firstGiven({ ...MODEL_SETTINGS, ...PROCESS_SETTINGS }, flags)
  if (model !== undefined) {
    throw new UsageError(
      `${flagOf(model)} describes a DiT of dit, and --objective brings a network of its own; leave one of them out`,
    )
  }
  if ((flags.sampleEvery ?? null) !== null) throw new UsageError(NO_GRIDS)
  const data = hasData ? firstGiven(DATA_SETTINGS, flags) : undefined
  if (data !== undefined) {
    throw new UsageError(`${flagOf(data)} is for pictures, and the module of --objective exports data of its own`)
  }
}
