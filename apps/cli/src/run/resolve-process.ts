import { type CompleteProcess, completeProcess } from '@dit/train-ddp'
import { flagOf } from '../settings/flag-of.js'
import { fieldsInFlags } from '../settings/in-flags.js'
import { PROCESS_SETTINGS } from '../settings/process-settings.js'
import { type Family, keptFields, placeOf, type RunSetting, valueAt } from '../settings/run-setting.js'
import { type FlagsOf, type Settings, withDefaults } from '../settings/setting.js'
import { checkInput, UsageError } from '../terminal/errors.js'

/** Flags that say what process a model learns to reverse. */
export type ProcessFlags = FlagsOf<typeof PROCESS_SETTINGS>

/** Predictions of one family only. */
const PREDICTIONS: Readonly<Record<string, Family>> = { previousX: 'gaussian', velocity: 'flow', score: 'flow' }

/**
 * The process that flags describe, checked.
 *
 * @throws UsageError that names what cannot be
 */
export function resolveProcess(flags: ProcessFlags): CompleteProcess {
  const { process: family = PROCESS_SETTINGS.process.default } = flags
  checkFamily(flags, family)
  if (family === 'gaussian') checkBetas(flags)
  // The convention of SiT, so that other programs know the weights.
  const convention = family === 'flow' ? { networkTime: 'towardsData' } : {}
  const told = valueAt(keptFields(PROCESS_SETTINGS, withDefaults(PROCESS_SETTINGS, flags), family), 'objective.process')
  return checkInput(
    () => completeProcess({ ...convention, ...(told as object) } as CompleteProcess),
    (message) => fieldsInFlags(message, PROCESS_SETTINGS),
  )
}

/** Throws for flags of the other family. */
function checkFamily(flags: ProcessFlags, family: Family): void {
  const rows: Settings<RunSetting> = PROCESS_SETTINGS
  const stray = Object.keys(rows).find(
    (key) => flags[key as keyof ProcessFlags] !== undefined && placeOf(rows[key], family) === undefined,
  )
  const other: Family = family === 'flow' ? 'gaussian' : 'flow'
  if (stray !== undefined) throw new UsageError(`${flagOf(stray)} works only with --process ${other}`)
  const { predict } = flags
  if (predict !== undefined && PREDICTIONS[predict] === other) {
    throw new UsageError(`--predict ${predict} works only with --process ${other}`)
  }
}

/**
 * Throws where betas are given twice, and where those of `linear` leave no signal at the end, which nobody means who predicts x0.
 */
function checkBetas(flags: ProcessFlags): void {
  const { schedule = 'linear', timesteps = 1000, betas, betaStart, betaEnd } = flags
  const other = (['schedule', 'timesteps', 'betaStart', 'betaEnd'] as const).find((name) => flags[name] !== undefined)
  if (betas !== undefined && other !== undefined) {
    throw new UsageError(`--betas replaces ${flagOf(other)}; leave one of them out`)
  }
  const isScaled = schedule === 'linear' && betas === undefined && betaStart === undefined && betaEnd === undefined
  if (!isScaled || timesteps > 20) return
  throw new UsageError(
    `--timesteps ${timesteps}: the linear schedule needs at least 21 timesteps, because its last beta, ${20 / timesteps}, must be below 1; if you want betas that end at 1, give them with --betas`,
  )
}
