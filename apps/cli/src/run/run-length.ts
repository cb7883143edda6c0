import { splitDataset } from '@dit/data'
import type { Communicator } from '@dit/train-ddp'
import { type Job, largest } from '../job/job.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { SharedFailure, UsageError } from '../terminal/errors.js'
import { formatCount, formatRough } from '../terminal/format.js'
import type { Output } from '../terminal/output.js'
import { type Clock, steadyClock } from '../time/clock.js'
import { PROBE_STEPS, probeSteps } from '../time/probe.js'
import { type Extras, extrasOf, runTime, stepsWithin } from '../time/run-time.js'
import { gridRows } from './grid-prompts.js'
import { measuredPictures } from './held-out.js'
import type { OpenData } from './open-data.js'
import { openExamples } from './open-examples.js'
import type { PreparedRun } from './prepare-training.js'
import type { RunConfig } from './run-config.js'
import { gridPictures } from './sample-grid.js'

/** Share of the minutes that is kept for checkpoints, and for steps that are slower than the first ones. */
const RESERVE = 0.03
/** A run of fewer steps has hardly left its beginnings. */
const FEW_STEPS = 50

/**
 * Checks that a length is given once.
 *
 * @throws UsageError where it is given twice
 */
export function checkLength({ steps, minutes, epochs }: Pick<TrainFlags, 'steps' | 'minutes' | 'epochs'>): void {
  const given = Object.entries({ '--steps': steps, '--minutes': minutes, '--epochs': epochs })
    .filter(([, value]) => value !== undefined)
    .map(([flag]) => flag)
  if (given.length > 1) throw new UsageError(`${given.join(' and ')} each say how long to train; give only one of them`)
}

/** Steps in which each picture is seen so often, on average: ceil(epochs pictures / batchSize). */
export function stepsOfEpochs(epochs: number, pictures: number, batchSize: number): number {
  return Math.max(1, Math.ceil((epochs * pictures) / batchSize))
}

/**
 * Length of a new run in steps, where the flags give it in epochs.
 *
 * @throws UsageError for data without an end
 */
export async function lengthInEpochs(
  plan: Pick<RunConfig, 'recipe' | 'heldOut' | 'stepsFrom'>,
  { dataset }: Pick<OpenData, 'dataset'>,
): Promise<Pick<RunConfig, 'steps'> | null> {
  const { epochs } = plan.stepsFrom ?? {}
  if (epochs === undefined) return null
  if (dataset === null) {
    throw new UsageError(
      '--epochs needs to know how many examples there are, which a module does not tell; give --steps',
    )
  }
  // What cannot be split is refused when it is opened, in words of its own.
  const split = plan.heldOut === undefined ? null : await splitDataset(dataset, plan.heldOut).catch(() => null)
  return { steps: stepsOfEpochs(epochs, (split?.train ?? dataset).length, plan.recipe.batchSize) }
}

export interface TimedLength {
  /** When the command began, on the clock: the minutes are counted from there. */
  readonly began: number
  readonly clock?: Clock
}

/**
 * A new run whose length is given in minutes, with the steps that fit: its first steps are timed, on a state that is thrown away. Any
 * other run comes back as it is. Every rank of a job calls it.
 *
 * @throws SharedFailure where not a single step fits
 */
export async function withTimedLength(
  prepared: PreparedRun,
  output: Output,
  { communicator }: Pick<Job, 'communicator'>,
  { began, clock = steadyClock }: TimedLength,
): Promise<PreparedRun> {
  const { config, isResume } = prepared
  const { minutes } = config.stepsFrom ?? {}
  if (minutes === undefined || isResume) return prepared
  output.line('timing the first steps, on a copy')
  const { secondsPerStep, extras } = await timedSteps(prepared, communicator, clock)
  const isFirst = communicator.rank === 0
  const left = await largest(communicator, isFirst ? Math.max(0, 60 * minutes - (clock() - began)) : 0)
  const steps = stepsWithin(left * (1 - RESERVE), secondsPerStep, extras)
  const minutesOf = (count: number) =>
    formatMinutes((60 * minutes - left + runTime(secondsPerStep, extras, count).seconds / (1 - RESERVE)) / 60)
  if (steps === 0) {
    throw new SharedFailure(
      `--minutes ${minutes} is too short: ${FEW_STEPS} steps of ${formatRough(secondsPerStep)} need about ${minutesOf(FEW_STEPS)} minutes with all that belongs to them; give more minutes, or lower --batch, --size or --hidden`,
    )
  }
  if (steps < FEW_STEPS) {
    output.notice(
      `only ${steps} steps fit into ${minutes} minutes, too few to learn much; ${FEW_STEPS} steps need about ${minutesOf(FEW_STEPS)} minutes`,
    )
  }
  const taken = Number(secondsPerStep.toPrecision(4))
  return { ...prepared, config: { ...config, steps, stepsFrom: { minutes, secondsPerStep: taken } } }
}

/** What a step takes, and grids and measurements with it, on every rank as rank 0 has measured it. */
async function timedSteps(
  prepared: PreparedRun,
  communicator: Communicator,
  clock: Clock,
): Promise<{ secondsPerStep: number; extras: Extras }> {
  const { config, objective, engine } = prepared
  const { recipe, seed, recompute, shardOptimizer = false } = config
  const { rank, size: workers } = communicator
  const examples = await openExamples(prepared, { rank, worldSize: workers, steps: PROBE_STEPS })
  const { batches: data, heldOut } = examples
  const { backend } = engine
  try {
    const options = { objective, recipe, data, backend, seed, recompute, shardOptimizer, communicator }
    const own = await probeSteps(options, clock)
    const secondsPerStep = await largest(communicator, rank === 0 ? own.secondsPerStep : 0)
    const pictures = { gridPictures: gridPictures(gridRows(config)), measuredPictures: measuredPictures(heldOut) }
    return { secondsPerStep, extras: extrasOf(config, secondsPerStep, { workers, ...pictures }) }
  } finally {
    await examples.close()
  }
}

/** How the number of a run's steps came about, in brackets behind it; nothing where it was given. */
export function lengthText({ stepsFrom }: Pick<RunConfig, 'stepsFrom'>): string {
  const { minutes, epochs, secondsPerStep } = stepsFrom ?? {}
  if (minutes !== undefined) {
    const each = secondsPerStep === undefined ? '' : `, at ${formatRough(secondsPerStep)} a step`
    return ` (as many as fit into ${minutes} minute${minutes === 1 ? '' : 's'}${each})`
  }
  return epochs === undefined ? '' : ` (${formatCountOrFraction(epochs)} epoch${epochs === 1 ? '' : 's'})`
}

function formatCountOrFraction(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : String(value)
}

function formatMinutes(minutes: number): string {
  return String(Math.ceil(minutes * 10) / 10)
}
