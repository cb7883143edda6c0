import { EVALUATION_SETTINGS } from '../settings/evaluation-settings.js'
import { keep, type RunSetting } from '../settings/run-setting.js'
import { flagOf } from '../settings/flag-of.js'
import { firstGiven, type Settings } from '../settings/setting.js'
import { processOfRun } from '../run/objective-config.js'
import type { RunConfig } from '../run/run-config.js'
import { UsageError } from '../terminal/errors.js'
import { checkEvaluation, type EvaluationConfig, type EvaluationFlags, resolveEvaluation } from './evaluation-config.js'

const ROWS: Settings<RunSetting> = EVALUATION_SETTINGS

/**
 * The evaluation of a resumed run. One that had none may begin to be evaluated; one that had keeps whatever its values depend on, since
 * they are compared with each other.
 *
 * @throws UsageError for settings that cannot be
 */
export function resumedEvaluation(config: RunConfig, given: EvaluationFlags): EvaluationConfig | undefined {
  const process = processOfRun(config)
  const { evaluation } = config
  if (process === null) {
    const stray = firstGiven(EVALUATION_SETTINGS, given)
    if (stray === undefined) return undefined
    throw new UsageError(`${flagOf(stray)} works only for networks that denoise; leave it out`)
  }
  const run = {
    process,
    isLatents: config.data.kind === 'latents',
    holdsOut: config.heldOut !== undefined,
  }
  if (evaluation === undefined) return resolveEvaluation(given, run)
  const changed = { evaluation: structuredClone(evaluation) }
  for (const [key, setting] of Object.entries(ROWS)) {
    const value = given[key as keyof EvaluationFlags]
    if (setting.mayChange === true && value !== undefined) keep(changed, setting.place as string, setting, value)
  }
  const { measures, keepBest } = changed.evaluation
  if (given.keepBest === undefined && keepBest !== null && !measures.includes(keepBest)) {
    throw new UsageError(
      `--eval-measures ${measures.join(',')}: the run keeps its best checkpoint by ${keepBest}; measure it too, or give another --keep-best`,
    )
  }
  checkEvaluation(changed.evaluation, run)
  return changed.evaluation
}
