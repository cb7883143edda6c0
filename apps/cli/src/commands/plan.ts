import { Command } from 'commander'
import { givenOptions } from '../settings/config-file.js'
import { addSettings, type FlagsOf, type Settings } from '../settings/setting.js'
import { addTrainOptions, type TrainFlags } from '../settings/train-settings.js'
import { integer, number } from '../settings/values.js'
import { planLines, plannedData, planTraining } from '../run/plan-training.js'
import type { Call } from '../terminal/io.js'
import { createOutput } from '../terminal/output.js'

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
} as const satisfies Settings

/** Options of `dit plan`: those of `dit train`, and its own. */
export type PlanFlags = TrainFlags & FlagsOf<typeof PLAN_SETTINGS>

const EXAMPLES = `
Examples:
  dit plan --model DiT-XL/2 --workers 8 --batch 256
  dit plan --model DiT-B/4 --workers 2 --batch 64 --memory 12 --recompute --shard-optimizer

The peak is that of a worker in its own process (as under mpirun) with --backend cpu. \`dit train\` has ZeRO
stage 1 (--shard-optimizer); stages 2 and 3 are shown for comparison only.`

/** `dit plan` */
export function planCommand(call: Call): Command {
  const command = new Command('plan')
    .summary('estimate the memory of a training job')
    .description('Estimates the memory per worker of a training job, for the given options and for similar ones.')
  return addSettings(addTrainOptions(command), PLAN_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const flags = givenOptions<PlanFlags>(command)
      const output = createOutput(flags, call)
      const plan = planTraining(flags, await plannedData(flags, output))
      output.event({ type: 'plan', ...plan })
      for (const notice of plan.notices) output.notice(notice)
      for (const line of planLines(plan)) output.line(line)
    })
}
