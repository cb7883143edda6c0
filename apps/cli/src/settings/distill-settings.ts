import { InvalidArgumentError } from 'commander'
import type { RunSetting } from './run-setting.js'
import type { Settings } from './setting.js'
import { integer, number, range } from './values.js'

/** Training a student of few steps, one stage of progressive distillation. `dit distill` goes through all stages. */
export const DISTILL_SETTINGS = {
  studentSteps: {
    flag: '--student-steps <n>',
    help: 'train a student of --from that samples in so many steps; `dit distill` makes one after another',
    parse: integer(1),
    place: 'objective.process.distilled.numSteps',
    isOptional: true,
  },
  startSteps: {
    flag: '--start-steps <n>',
    help: 'steps of the path that distillation begins with: a power of two times --student-steps (default: those of --from if it is a student, else twice --student-steps)',
    parse: integer(2),
    place: 'objective.process.distilled.startSteps',
    isOptional: true,
  },
  guidanceRange: {
    flag: '--guidance-range <low,high>',
    help: 'scales of guidance that the student takes as an input and answers in one pass, such as 1,3; for the first student of a teacher with a null class',
    parse: scales,
    place: 'objective.network.config.guidanceRange',
    store: (text: string) => text.split(',').map(Number),
    read: (kept: readonly number[] | undefined) => kept?.join(','),
    isOptional: true,
  },
  guidanceScale: {
    flag: '--guidance-scale <x>',
    help: 'in its place one scale of guidance for good, which the weights of the student take over',
    parse: number(0),
    place: 'objective.guidanceScale',
    isOptional: true,
  },
} as const satisfies Settings<RunSetting>

/** Two scales with a comma between, as a text that stays comparable. */
function scales(text: string): string {
  const [low, high] = range(text)
  if (low === high)
    throw new InvalidArgumentError('The second must be above the first; for one scale use --guidance-scale.')
  return `${low},${high}`
}
