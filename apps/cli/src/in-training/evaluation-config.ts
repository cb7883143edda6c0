import type { MeasureName } from '@dit/evaluate'
import { FLOW_SAMPLERS, GAUSSIAN_SAMPLERS, type SamplerName } from '@dit/pipeline'
import type { CompleteProcess } from '@dit/train-ddp'
import { EVALUATION_SETTINGS } from '../settings/evaluation-settings.js'
import { flagOf } from '../settings/flag-of.js'
import { measureList } from '../settings/measure-names.js'
import { keptFields } from '../settings/run-setting.js'
import { firstGiven, type FlagsOf, withDefaults } from '../settings/setting.js'
import { isFlow, mostSteps } from '../run/objective-config.js'
import { UsageError } from '../terminal/errors.js'

/** Measures of neighbourhoods, which reach to the fifth nearest other picture. */
const OF_NEIGHBOURS: readonly string[] = ['precision', 'recall', 'density', 'coverage']
const NEIGHBOURS = 5

/** The fewest samples, and real pictures, that a measure has an answer for. */
export function fewestSamples(measure: string): number {
  return OF_NEIGHBOURS.includes(measure) ? NEIGHBOURS + 1 : 2
}

/** What is measured of a run while it trains, as `config.json` keeps it. */
export interface EvaluationConfig {
  /** Steps between two evaluations; null where a resumed run makes none any more. */
  readonly every: number | null
  readonly measures: readonly MeasureName[]
  /** Samples, and real pictures at most. */
  readonly count: number
  readonly against: 'held-out' | 'all'
  readonly sampler: SamplerName
  readonly steps: number
  readonly guidance: number
  /** A name, or the path of a file of weights. */
  readonly extractor: string
  /** Absent means the extractor's own. */
  readonly layer?: string
  /** Of the extractor, once it was opened: values of another one cannot be compared. */
  readonly fingerprint?: string
  /** Turns latents into pictures. */
  readonly autoencoder?: string
  /** The measure that the best checkpoint is kept by. */
  readonly keepBest: MeasureName | null
}

export type EvaluationFlags = FlagsOf<typeof EVALUATION_SETTINGS>

/** What an evaluation is for. */
export interface EvaluatedRun {
  readonly process: CompleteProcess
  readonly isLatents: boolean
  readonly holdsOut: boolean
}

/**
 * The evaluation that flags describe; undefined where they describe none.
 *
 * @throws UsageError that names the flag which cannot be
 */
export function resolveEvaluation(given: EvaluationFlags, run: EvaluatedRun): EvaluationConfig | undefined {
  const { evalEvery = null, ...others } = given
  if (evalEvery === null) {
    const stray = firstGiven(EVALUATION_SETTINGS, others)
    if (stray === undefined) return undefined
    throw new UsageError(`${flagOf(stray)} needs --eval-every, the steps between two evaluations`)
  }
  const { process, holdsOut } = run
  const flags = {
    ...withDefaults(EVALUATION_SETTINGS, given),
    evalAgainst: given.evalAgainst ?? (holdsOut ? 'held-out' : 'all'),
    evalSteps: given.evalSteps ?? Math.min(EVALUATION_SETTINGS.evalSteps.default, mostSteps(process)),
  }
  const { evaluation } = keptFields(EVALUATION_SETTINGS, flags) as { readonly evaluation: EvaluationConfig }
  const keepBest = given.keepBest === undefined ? evaluation.measures[0] : given.keepBest
  const config = { ...evaluation, keepBest }
  checkEvaluation(config, run)
  return config
}

/**
 * Checks what an evaluation's settings ask of each other and of the run.
 *
 * @throws UsageError that names the flag
 */
export function checkEvaluation(config: EvaluationConfig, { process, isLatents, holdsOut }: EvaluatedRun): void {
  const { measures, count, against, sampler, steps, autoencoder, keepBest } = config
  if (isLatents && autoencoder === undefined) {
    throw new UsageError(
      '--eval-every measures pictures, but --latents names latents; give --eval-vae <autoencoder>, which turns them into pictures',
    )
  }
  if (!isLatents && autoencoder !== undefined) {
    throw new UsageError('--eval-vae is for --latents; the run learns from pictures, which need no autoencoder')
  }
  if (against === 'held-out' && !holdsOut) {
    throw new UsageError('--eval-against held-out needs --val-share, the share of pictures to hold out')
  }
  const known: readonly string[] = isFlow(process) ? FLOW_SAMPLERS : GAUSSIAN_SAMPLERS
  if (!known.includes(sampler)) {
    const what = isFlow(process) ? 'a flow' : 'a Gaussian diffusion'
    throw new UsageError(`--eval-sampler ${sampler}: the run trains ${what}, which can use ${known.join(', ')}`)
  }
  if (steps > mostSteps(process)) {
    throw new UsageError(`--eval-steps ${steps}: the process has only ${mostSteps(process)} timesteps`)
  }
  const needy = measures.find((measure) => fewestSamples(measure) > count)
  if (needy !== undefined) {
    throw new UsageError(`--eval-count ${count} is too few for ${needy}, which needs ${fewestSamples(needy)} samples`)
  }
  if (keepBest === null || measures.includes(keepBest)) return
  throw new UsageError(
    `--keep-best ${keepBest}: the run measures only ${measures.join(', ')}; add ${keepBest} to --eval-measures`,
  )
}

/** Throws unless what `config.json` holds is an evaluation; its plain fields are checked by the rows of the settings. */
export function checkEvaluationConfig({ measures, fingerprint }: Readonly<Record<string, unknown>>): void {
  const names = Array.isArray(measures) ? measures : []
  try {
    measureList(names.join(','))
  } catch (cause) {
    throw new RangeError(`"evaluation.measures" must be names of measures. ${(cause as Error).message}`, { cause })
  }
  if (fingerprint !== undefined && typeof fingerprint !== 'string') {
    throw new RangeError(`"evaluation.fingerprint" must be text (got ${JSON.stringify(fingerprint)})`)
  }
}
