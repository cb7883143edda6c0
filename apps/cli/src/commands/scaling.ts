import { Command } from 'commander'
import type { Call } from '../terminal/io.js'
import { fitCommand } from './scaling/fit.js'
import { planCommand } from './scaling/plan.js'
import { plotCommand } from './scaling/plot.js'
import { rateCommand } from './scaling/rate.js'
import { runCommand } from './scaling/run.js'

const HELP = `
docs/scaling.md walks through an experiment.

Examples:
  dit scaling run shapes.json --minutes 45 --out results/shapes
  dit scaling fit results/shapes
  dit scaling plan results/shapes --budget 1h
  dit scaling plot results/shapes`

/** `dit scaling` */
export function scalingCommand(call: Call): Command {
  const command = new Command('scaling')
    .summary('fit scaling laws to runs, and plan with them')
    .description(
      'Trains grids of models and budgets, fits how the held-out error falls with size, data and compute, and plans with that.',
    )
    .addHelpText('after', HELP)
  for (const part of [runCommand(call), rateCommand(call), fitCommand(call), planCommand(call), plotCommand(call)])
    command.addCommand(part)
  return command
}
