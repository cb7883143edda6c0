import { Command } from 'commander'
import { fitRateRule } from '@dit/scaling'
import { intervalText } from '../../scaling/fit-report.js'
import type { ResultRow } from '../../scaling/row.js'
import { readResults } from '../../scaling/read-results.js'
import { givenOptions } from '../../settings/config-file.js'
import { RATE_SETTINGS } from '../../settings/scaling-settings.js'
import { addSettings, type FlagsOf } from '../../settings/setting.js'
import { checkInput, UsageError } from '../../terminal/errors.js'
import { formatNumber, formatTable } from '../../terminal/format.js'
import type { Call } from '../../terminal/io.js'
import { createOutput, type Output } from '../../terminal/output.js'
import { addResults } from './fit.js'

const EXAMPLES = `
Train a grid of three sizes first, each as several models that differ in their lr only:
  "models": [{ "name": "s.1e_3", "hidden": 64, ..., "lr": 0.001 }, { "name": "s.3e_3", "hidden": 64, ..., "lr": 0.003 }, ...]

Examples:
  dit scaling rate results/rates`

/** `dit scaling rate` */
export function rateCommand(call: Call): Command {
  const command = new Command('rate')
    .summary('fit one learning-rate rule across sizes')
    .description(
      'Fits rate (hidden / atHidden)^power to runs of a few sizes with several learning rates each, for the grid of `dit scaling run`.',
    )
  return addSettings(addResults(command), RATE_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async (results: string[]) => {
      await rate(results, createOutput(givenOptions<FlagsOf<typeof RATE_SETTINGS>>(command), call))
    })
}

async function rate(results: readonly string[], output: Output): Promise<void> {
  const rows = await readResults(results)
  const usable = rows.filter(
    ({ hidden, lr, loss, finished }) => finished && hidden !== null && lr !== null && loss !== null && loss > 0,
  )
  for (const row of rows.filter((each) => !usable.includes(each)))
    output.notice(
      `${row.name} is left out: ${Number.isNaN(row.loss) ? 'it diverged' : row.finished ? 'it has no hidden size, learning rate or loss' : 'it is not finished'}`,
    )
  if (usable.length === 0) throw new UsageError('no run has a hidden size, a learning rate and a loss')
  mustDifferInRateOnly(usable)
  const rule = checkInput(
    () =>
      fitRateRule({
        hidden: usable.map(({ hidden }) => hidden!),
        rate: usable.map(({ lr }) => lr!),
        loss: usable.map(({ loss }) => loss!),
      }),
    (message) => message.replace(/^\w+: /, ''),
  )
  const learningRate = {
    rate: Number(rule.rate.toPrecision(4)),
    atHidden: Math.round(rule.atHidden),
    power: Number(rule.power.toPrecision(4)),
  }
  for (const line of formatTable([
    ['hidden', 'best rate', ''],
    ...rule.best.map(({ hidden, rate: best, isInside }) => [
      String(hidden),
      formatNumber(best),
      isInside ? '' : 'outside the rates',
    ]),
  ]))
    output.line(line)
  if (rule.powerInterval !== null)
    output.line(`power ${formatNumber(rule.power)} (95 %: ${intervalText(rule.powerInterval)})`)
  output.line(`\n"learningRate": ${JSON.stringify(learningRate)}`)
  for (const warning of rule.warnings) output.notice(warning)
  output.event({ type: 'scaling-rate', learningRate, powerInterval: rule.powerInterval, best: rule.best })
}

/** Beside its learning rate and seed, everything that a row tells of a run. */
const ALIKE = ['budget', 'patch', 'depth', 'heads'] as const

function mustDifferInRateOnly(rows: readonly ResultRow[]): void {
  for (const hidden of new Set(rows.map((row) => row.hidden))) {
    for (const column of ALIKE) {
      const values = [...new Set(rows.filter((row) => row.hidden === hidden).map((row) => row[column]))]
      if (values.length === 1) continue
      throw new UsageError(
        `runs of hidden ${hidden} must differ in their learning rate only, but have ${column} ${values.map((value) => value ?? 'unknown').join(', ')}`,
      )
    }
  }
}
