import type { DistilledSteps } from '@dit/diffusion'
import type { TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'
import { DISTILL_DEFAULTS, type DistillFlags } from './distill-flags.js'

/** The folder of a student. */
export function stageName(numSteps: number): string {
  return `${numSteps}-${numSteps === 1 ? 'step' : 'steps'}`
}

/**
 * Steps of each student, from the first to the last.
 *
 * @param before     of a teacher that is a student itself
 * @param startSteps where they were given
 * @throws UsageError unless halving leads from the first to the last
 */
export function stagesOf(
  before: DistilledSteps | undefined,
  startSteps: number | undefined,
  last: number,
): readonly number[] {
  if (before !== undefined && startSteps !== undefined) {
    throw new UsageError(
      `--start-steps ${startSteps}: the teacher is a student of ${before.numSteps} steps of ${before.startSteps} itself; leave --start-steps out`,
    )
  }
  const first = before?.numSteps ?? startSteps ?? DISTILL_DEFAULTS.startSteps
  const halvings = Math.log2(first / last)
  if (!Number.isInteger(halvings) || halvings < 1) {
    throw new UsageError(
      `--last ${last}: halving ${first} steps, ${before === undefined ? 'those of --start-steps' : 'those of the teacher'}, does not lead there`,
    )
  }
  return Array.from({ length: halvings }, (_, i) => first / 2 ** (i + 1))
}

/** One stage as flags of `dit train`. */
export function stageFlags(
  { last: _last, out: _out, from: _from, startSteps: _start, ...flags }: DistillFlags,
  stage: {
    readonly teacher: string
    readonly numSteps: number
    readonly startSteps: number
    readonly isFirst: boolean
  },
): TrainFlags {
  const { guidanceRange, guidanceScale, fromWeights, ...later } = flags
  const { teacher, numSteps, startSteps, isFirst } = stage
  return {
    steps: DISTILL_DEFAULTS.steps,
    ...later,
    ...(isFirst ? present({ guidanceRange, guidanceScale, fromWeights }) : {}),
    from: teacher,
    studentSteps: numSteps,
    ...(isFirst ? { startSteps } : {}),
  }
}

function present<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}
