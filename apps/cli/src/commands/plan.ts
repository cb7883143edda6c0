import { Command } from 'commander'
import { givenOptions } from '../settings/config-file.js'
import { addSettings, type FlagsOf, type Settings } from '../settings/setting.js'
import { addTrainOptions, type TrainFlags } from '../settings/train-settings.js'
import { integer, number } from '../settings/values.js'
import { planTime, plannedTimeLines } from '../run/planned-time.js'
import { planLines, plannedData, planTraining } from '../run/plan-training.js'
import type { Call } from '../terminal/io.js'
import { Failure, messageOf } from '../terminal/errors.js'
import { createOutput, type Output } from '../terminal/output.js'

/** The machine, and what the data would tell. */
const PLAN_SETTINGS = {
  memory: {
    flag: '--memory <GiB>',
    help: 'memory that each worker may use (default: that of this machine)',
    parse: number(0.01),
  },
  classes: {
    flag: '--classes <n>',
    help: 'number of classes, where --data or --latents does not tell it (default 1000)',
    parse: integer(1),
  },
  time: {
    flag: '--no-time',
    help: 'do not time the first steps on this machine; estimate memory only',
    default: true,
  },
} as const satisfies Settings

/** Options of `dit plan`: those of `dit train`, and its own. */
export type PlanFlags = TrainFlags & FlagsOf<typeof PLAN_SETTINGS>

const EXAMPLES = `
Examples:
  dit plan --model DiT-XL/2 --workers 8 --batch 256
  dit plan --data photos --size 32 --epochs 20 --val-share 0.1
  dit plan --model DiT-B/4 --workers 2 --batch 64 --memory 12 --recompute --shard-optimizer

The peak is that of a worker in its own process (as under mpirun) with --backend cpu. \`dit train\` has ZeRO
stage 1 (--shard-optimizer); stages 2 and 3 are shown for comparison only.

The time is that of a few steps on random pictures, with reading of data left out. Of a step that takes long or
does not fit, a part of the batch is run; --no-time runs nothing.`

/** `dit plan` */
export function planCommand(call: Call): Command {
  const command = new Command('plan')
    .summary('estimate the memory and time of a training job')
    .description(
      'Estimates the memory per worker of a training job, for the given options and for similar ones, and how long it would take on this machine.',
    )
  return addSettings(addTrainOptions(command), PLAN_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const flags = givenOptions<PlanFlags>(command)
      const output = createOutput(flags, call)
      const data = await plannedData(flags, output)
      const plan = planTraining(flags, data)
      for (const notice of plan.notices) output.notice(notice)
      for (const line of planLines(plan)) output.line(line)
      if (flags.time !== false) output.line('\ntiming steps on this machine (--no-time skips it)')
      const time = flags.time === false ? null : await timeOrNotice(() => planTime(flags, data, plan), output)
      if (time !== null) for (const line of plannedTimeLines(time)) output.line(line)
      output.event({ type: 'plan', ...plan, time })
    })
}

/** Memory was planned for an engine that may not be here: no time, and the reason. */
async function timeOrNotice<T>(work: () => Promise<T>, output: Output): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    output.notice(`no time is estimated: ${messageOf(error)}`)
    return null
  }
}
