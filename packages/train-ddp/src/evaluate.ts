import { anyRank, type Communicator } from '@dit/collectives'
import type { Params } from '@dit/tensor'
import { checkMeasures } from './run/check-record.js'
import type { StepRecord } from './run/log.js'

/** Numbers by name. */
export type Measures = Readonly<Record<string, number>>

/** Measures, with whatever else the log is to say of them: plain data. */
export interface DetailedMeasures {
  readonly measures: Measures
  readonly evaluation: Readonly<Record<string, unknown>>
}

/** What measures the averaged parameters while they are trained. */
export interface Evaluate {
  /** Steps between two measurements; the last step is measured, too. */
  readonly every: number
  /**
   * Called on rank 0. Its numbers become `measures` of the step's record, what it says of them `evaluation`. The same parameters must
   * give the same, or a resumed run's log will differ. Where it throws after `signal` was aborted, the run stops at once: a resumed
   * one begins with this measurement.
   */
  run(context: { readonly step: number; readonly ema: Params }): Promise<Measures | DetailedMeasures>
}

/** `evaluate` of the options as a list. */
export function evaluationsOf(evaluate: Evaluate | readonly Evaluate[] | undefined): readonly Evaluate[] {
  if (evaluate === undefined) return []
  return 'run' in evaluate ? [evaluate] : evaluate
}

/** Where evaluations run. */
export interface EvaluationPlace {
  readonly communicator: Communicator
  readonly signal: AbortSignal | undefined
  /** Runs work on rank 0 with the averaged parameters, and gives undefined on the others. */
  readonly onEma: <T>(work: (context: { step: number; ema: Params }) => Promise<T>) => Promise<T | undefined>
}

/**
 * The record of a step with what evaluations find; every rank calls it, and the others than 0 get the record as it is.
 *
 * @returns null where a stop was asked for and an evaluation gave up because of it
 */
export async function withMeasures(
  record: StepRecord,
  evaluations: readonly Evaluate[],
  { communicator, signal, onEma }: EvaluationPlace,
): Promise<StepRecord | null> {
  if (evaluations.length === 0) return record
  const found = await onEma(async (context) => {
    const all: (Measures | DetailedMeasures)[] = []
    try {
      for (const one of evaluations) all.push(await one.run(context))
    } catch (error) {
      if (signal?.aborted !== true) throw error
      return null
    }
    return all
  })
  if (await anyRank(communicator, found === null)) return null
  return communicator.rank > 0 ? record : { ...record, ...joined(found!) }
}

function joined(found: readonly (Measures | DetailedMeasures)[]): Pick<StepRecord, 'measures' | 'evaluation'> {
  let measures: Measures = {}
  let evaluation: Readonly<Record<string, unknown>> = {}
  for (const one of found) {
    const { measures: own, evaluation: about = {} } = isDetailed(one) ? one : { measures: one }
    checkMeasures(own)
    const twice = Object.keys(own).find((name) => name in measures)
    if (twice !== undefined) throw new RangeError(`train: two functions of evaluate measure ${twice}`)
    measures = { ...measures, ...own }
    evaluation = { ...evaluation, ...about }
  }
  return Object.keys(evaluation).length === 0 ? { measures } : { measures, evaluation }
}

function isDetailed(found: Measures | DetailedMeasures): found is DetailedMeasures {
  return typeof (found as Partial<DetailedMeasures> | null)?.measures === 'object'
}
