import { type CompleteProcess, completeProcess, distilledPath, processFromSpec } from '@dit/diffusion'
import { checkConfig, type DiTConfig, nullLabel, outChannels } from '@dit/model'
import type { DistillationSpec, DiTSpec } from '@dit/train-ddp'
import type { StartingPoint } from '../fine-tune/starting-point.js'
import { DISTILL_SETTINGS } from '../settings/distill-settings.js'
import { EVALUATION_SETTINGS } from '../settings/evaluation-settings.js'
import { FINE_TUNE_SETTINGS } from '../settings/fine-tune-settings.js'
import { flagOf } from '../settings/flag-of.js'
import { PROCESS_SETTINGS } from '../settings/process-settings.js'
import { firstGiven, type Settings } from '../settings/setting.js'
import { MODEL_SETTINGS, type TrainFlags } from '../settings/train-settings.js'
import { checkInput, UsageError } from '../terminal/errors.js'

/** What of `--from` is said of a teacher as well. */
const OF_TEACHERS: readonly string[] = ['from', 'fromWeights', 'key']

/** What a student has from its teacher, or does without. */
const REFUSED: Settings = {
  ...PROCESS_SETTINGS,
  ...MODEL_SETTINGS,
  ...Object.fromEntries(Object.entries(FINE_TUNE_SETTINGS).filter(([key]) => !OF_TEACHERS.includes(key))),
}

/** Whether flags ask for a student. @throws UsageError for flags that only students have */
export function asksForStudent(flags: TrainFlags): boolean {
  if (flags.studentSteps !== undefined) return true
  const stray = firstGiven(DISTILL_SETTINGS, flags)
  if (stray === undefined) return false
  throw new UsageError(
    `${flagOf(stray)} works only with --student-steps, the steps of a student (see dit distill --help)`,
  )
}

/**
 * What a student learns, as flags describe it; the digest of its teacher is filled in when its weights are read.
 *
 * @param model    of the teacher, for the data at hand
 * @param process  of the teacher
 * @throws UsageError that names the flag which cannot be
 */
export function studentObjective(
  flags: TrainFlags,
  start: StartingPoint | null,
  model: DiTConfig,
  process: CompleteProcess,
): DistillationSpec<DiTSpec> {
  const { studentSteps, guidanceRange, guidanceScale = 1 } = flags
  const numSteps = studentSteps!
  if (start === null) throw new UsageError('--student-steps needs --from, the run or weights of the teacher')
  const { source } = start
  checkFlags(flags, start, model)
  const { distilled: before, ...plain } = process
  const startSteps = flags.startSteps ?? before?.startSteps ?? 2 * numSteps
  const [told] = (['guidanceRange', 'guidanceScale'] as const).filter((key) => flags[key] !== undefined)
  if (guidanceRange !== undefined && flags.guidanceScale !== undefined) {
    throw new UsageError(
      '--guidance-range makes the scale an input, and --guidance-scale fixes it; leave one of them out',
    )
  }
  if (told !== undefined && before !== undefined) {
    throw new UsageError(
      `${flagOf(told)}: ${source} is a student, which is guided by itself; leave ${flagOf(told)} out`,
    )
  }
  if (before !== undefined && (before.startSteps !== startSteps || before.numSteps !== 2 * numSteps)) {
    throw new UsageError(
      `--student-steps ${numSteps}: ${source} is a student of ${before.numSteps} steps of ${before.startSteps} itself, so that its student must have ${before.numSteps / 2}`,
    )
  }
  if (told !== undefined && model.guidanceRange !== undefined) {
    throw new UsageError(
      `${flagOf(told)}: ${source} takes the scale of guidance as an input already; leave ${flagOf(told)} out`,
    )
  }
  if (told !== undefined && nullLabel(model) === null) {
    throw new UsageError(`${flagOf(told)}: ${source} has no null class to guide away from; leave ${flagOf(told)} out`)
  }
  const config: DiTConfig =
    guidanceRange === undefined
      ? model
      : { ...model, guidanceRange: DISTILL_SETTINGS.guidanceRange.store(guidanceRange) as unknown as [number, number] }
  const distilled = { startSteps, numSteps }
  checkInput(() => {
    checkConfig(config)
    distilledPath(processFromSpec(plain, outChannels(config) === config.inChannels ? 1 : 2), distilled)
  }, inFlags)
  if (startSteps === numSteps)
    throw new UsageError(`--start-steps ${startSteps}: it must be more than --student-steps ${numSteps}`)
  return {
    kind: 'distillation',
    network: { kind: 'dit', config },
    process: completeProcess({ ...plain, distilled }),
    teacher: '',
    isFirst: config.guidanceRange !== undefined && model.guidanceRange === undefined,
    guidanceScale,
  }
}

function inFlags(message: string): string {
  return message
    .replace(/^distilledPath: /, '')
    .replace('numSteps must', '--student-steps must')
    .replace('startSteps that', '--start-steps that')
}

function checkFlags(flags: TrainFlags, { source, config }: StartingPoint, model: DiTConfig): void {
  const stray = firstGiven(REFUSED, flags)
  if (stray !== undefined) {
    throw new UsageError(
      `${flagOf(stray)}: a student is of the size and process of its teacher, ${source}, and all of it is trained; leave ${flagOf(stray)} out`,
    )
  }
  if (String(model.inputSize) !== String(config.inputSize)) {
    throw new UsageError(
      `--size ${String(model.inputSize)}: a student has the size of its teacher, and the pictures of ${source} are ${String(config.inputSize)}; leave --size out`,
    )
  }
  const measured = firstGiven({ ...EVALUATION_SETTINGS, valShare: { flag: '', help: '' } }, flags)
  if (measured === undefined) return
  throw new UsageError(
    `${flagOf(measured)} does not work with --student-steps: what a student is worth is seen in its samples; measure them with dit eval <run>`,
  )
}
