import { HELD_OUT_SNRS } from '@dit/diffusion'
import { SAMPLE_DEFAULTS } from '@dit/pipeline'
import { mostSteps, processOfRun } from '../run/objective-config.js'
import type { RunConfig } from '../run/run-config.js'
import { formatCount, formatCounted, formatRough } from '../terminal/format.js'

/** What a run's time depends on. */
export type TimedRun = Pick<RunConfig, 'objective' | 'recipe' | 'sampleEvery' | 'heldOut' | 'evaluation'>

/** Work of a run beside its steps. */
export interface Extras {
  /** Steps between grids of samples, or null, and seconds of a grid. */
  readonly sampleEvery: number | null
  readonly gridSeconds: number
  /** Steps between measurements on held-out pictures, or null, and seconds of a measurement. */
  readonly measureEvery: number | null
  readonly measureSeconds: number
  /** Steps between evaluations of samples, or null, and seconds of an evaluation. */
  readonly evaluateEvery: number | null
  readonly evaluateSeconds: number
}

/** What a run will take. */
export interface RunTime {
  readonly seconds: number
  readonly grids: number
  readonly measurements: number
  readonly evaluations: number
  /** Of `seconds`, those for grids, measurements and evaluations. */
  readonly extraSeconds: number
}

/** Forward passes in one step's work on an example: forward, and twice as much backward. */
const PASSES = 3

/**
 * What grids, held-out measurements and evaluations of a run take, by the forward passes in them:
 *
 *   seconds of a pass = secondsPerStep workers / (3 batchSize)
 *
 * @param gridPictures of a grid of samples
 * @param measuredPictures held-out pictures that are measured
 * @param overheadSeconds of an evaluation, beside drawing its samples; where it is not known, 0
 */
export function extrasOf(
  run: TimedRun,
  secondsPerStep: number,
  {
    workers,
    gridPictures,
    measuredPictures,
    overheadSeconds = 0,
  }: {
    readonly workers: number
    readonly gridPictures: number
    readonly measuredPictures: number
    readonly overheadSeconds?: number
  },
): Extras {
  const passSeconds = (secondsPerStep * workers) / (PASSES * run.recipe.batchSize)
  const process = processOfRun(run)
  const sampleSteps = process === null ? 0 : Math.min(SAMPLE_DEFAULTS.steps, mostSteps(process))
  return {
    sampleEvery: run.sampleEvery,
    gridSeconds: gridPictures * sampleSteps * passSeconds,
    measureEvery: run.heldOut?.every ?? null,
    measureSeconds: measuredPictures * HELD_OUT_SNRS.length * passSeconds,
    evaluateEvery: run.evaluation?.every ?? null,
    evaluateSeconds: evaluationPasses(run.evaluation) * passSeconds + overheadSeconds,
  }
}

/** Calls of the network in a step of those samplers that make more than one. */
const CALLS: Readonly<Record<string, number>> = { midpoint: 2, heun: 2, 'heun-sde': 2, rk4: 4, dopri5: 6 }

/** Forward passes of an evaluation: those that draw its samples. */
function evaluationPasses(evaluation: TimedRun['evaluation']): number {
  if (evaluation === undefined) return 0
  const { count, steps, sampler, guidance } = evaluation
  return count * steps * (CALLS[sampler] ?? 1) * (guidance === 1 ? 1 : 2)
}

/** Time of the steps after `from`, up to `steps`. */
export function runTime(secondsPerStep: number, extras: Extras, steps: number, from = 0): RunTime {
  const grids = timesDue(extras.sampleEvery, steps, from)
  const measurements = timesDue(extras.measureEvery, steps, from)
  const evaluations = timesDue(extras.evaluateEvery, steps, from)
  const extraSeconds =
    grids * extras.gridSeconds + measurements * extras.measureSeconds + evaluations * extras.evaluateSeconds
  return { seconds: (steps - from) * secondsPerStep + extraSeconds, grids, measurements, evaluations, extraSeconds }
}

/** Steps of a run that takes at most `seconds`; 0 where not even one fits. */
export function stepsWithin(seconds: number, secondsPerStep: number, extras: Extras): number {
  let [fits, over] = [0, Math.floor(seconds / secondsPerStep) + 1]
  while (over - fits > 1) {
    const middle = Math.floor((fits + over) / 2)
    if (runTime(secondsPerStep, extras, middle).seconds <= seconds) fits = middle
    else over = middle
  }
  return fits
}

/** Steps at which something is due that is done every so many steps and after the last one. */
function timesDue(every: number | null, steps: number, from: number): number {
  if (every === null || steps <= from) return 0
  return Math.floor(steps / every) - Math.floor(from / every) + (steps % every === 0 ? 0 : 1)
}

/**
 * `about 8 min for 2,000 steps, 40 s of it for 4 grids of samples: 0.24 s a step, measured over 3 steps`
 *
 * @param how the time of a step is known
 */
export function timeText(
  { seconds, grids, measurements, evaluations, extraSeconds }: RunTime,
  secondsPerStep: number,
  how: string,
  steps: number,
  from = 0,
): string {
  const what = [
    ...(grids === 0 ? [] : [formatCounted(grids, 'grid of samples', 'grids of samples')]),
    ...(measurements === 0 ? [] : [formatCounted(measurements, 'held-out measurement', 'held-out measurements')]),
    ...(evaluations === 0 ? [] : [formatCounted(evaluations, 'evaluation', 'evaluations')]),
  ]
  const extra = what.length === 0 ? '' : `, ${formatRough(extraSeconds)} of it for ${listed(what)}`
  const which =
    from === 0 ? formatCounted(steps, 'step', 'steps') : `the ${formatCount(steps - from)} steps that are left`
  return `about ${formatRough(seconds)} for ${which}${extra}: ${formatRough(secondsPerStep)} a step, ${how}`
}

/** `4 grids, 2 measurements and 3 evaluations` */
function listed(parts: readonly string[]): string {
  return parts.length < 3 ? parts.join(' and ') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

/** `measured over 3 steps` */
export function measuredText(steps: number): string {
  return `measured over ${formatCounted(steps, 'step', 'steps')}`
}
