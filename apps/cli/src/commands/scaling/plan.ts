import { stat } from 'node:fs/promises'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { allocateCompute, computeForLoss } from '@dit/scaling'
import { plannedData } from '../../run/plan-training.js'
import { analyse, type Analysis } from '../../scaling/analysis.js'
import { candidatesOf } from '../../scaling/candidates.js'
import { fitNotices, intervalText, percentText, quantityText } from '../../scaling/fit-report.js'
import type { EngineFlags } from '../../engines/engine-options.js'
import { flagsText } from '../../scaling/flags-text.js'
import { givenEngine } from '../../scaling/given-engine.js'
import { type Grid, readGrid } from '../../scaling/grid.js'
import { GRID_FILE } from '../../scaling/grid-places.js'
import {
  choicesForCompute,
  choicesForTime,
  parseBudget,
  type PlannedChoice,
  timeOnThisMachine,
} from '../../scaling/plan-budget.js'
import { readResults } from '../../scaling/read-results.js'
import { givenOptions } from '../../settings/config-file.js'
import { PLAN_SETTINGS } from '../../settings/scaling-settings.js'
import { addSettings, type CompleteFlags, type FlagsOf, withDefaults } from '../../settings/setting.js'
import { checkInput, Failure, UsageError } from '../../terminal/errors.js'
import { formatCount, formatNumber, formatQuantity, formatRough, formatTable } from '../../terminal/format.js'
import type { Call } from '../../terminal/io.js'
import { createOutput, type Output } from '../../terminal/output.js'
import { addResults, analysisOptions } from './fit.js'

const EXAMPLES = `
A law is trusted only if the data determine it: with less than a decade of sizes or data, or an exponent whose interval is half as
wide as itself, the plan is refused with the reasons, and --anyway makes it all the same.

Examples:
  dit scaling plan results/shapes --budget 1h
  dit scaling plan results.csv --grid shapes.json --budget 2e15
  dit scaling plan results/shapes --loss 0.02`

/** Flags with their defaults, and of the engine those that were given: the others are the grid's. */
type PlanFlags = CompleteFlags<typeof PLAN_SETTINGS> & { readonly given: EngineFlags }

/** Part of a time that is planned with: the rest is for checkpoints, and for steps that are slower than the first ones. */
const PLANNED_SHARE = 0.97
/** Share of the processors above which other work shows in times. */
const BUSY = 0.25
/** Choices that are shown. */
const SHOWN = 5

/** `dit scaling plan` */
export function planCommand(call: Call): Command {
  const command = new Command('plan')
    .summary('choose a model and its steps for a budget, and predict the error')
    .description(
      'Says which model to train for how many steps within a time or an amount of compute, and what held-out error to expect.',
    )
  return addSettings(addResults(command), PLAN_SETTINGS)
    .addHelpText('after', EXAMPLES)
    .action(async (results: string[]) => {
      const given = givenOptions<FlagsOf<typeof PLAN_SETTINGS>>(command)
      const flags = withDefaults(PLAN_SETTINGS, given)
      await plan(results, { ...flags, given: givenEngine(given) }, createOutput(flags, call))
    })
}

async function plan(results: readonly string[], flags: PlanFlags, output: Output): Promise<void> {
  if ((flags.budget === undefined) === (flags.loss === undefined))
    throw new UsageError('give one of --budget, what may be spent, and --loss, the held-out error to reach')
  const budget = flags.budget === undefined ? null : parseBudget(flags.budget)
  const analysis = analyse(await readResults(results), analysisOptions(flags))
  for (const notice of fitNotices(analysis)) output.notice(notice)
  checkDoubts(analysis, flags.anyway === true, output)
  const grid = await gridOf(results, flags.grid)
  if (budget === null) return planLoss(analysis, flags.loss!, output)
  const withEngine = grid === null ? null : { ...grid, train: { ...grid.train, ...flags.given } }
  if (withEngine === null) return planWithoutGrid(analysis, budget, output)
  const data = await plannedData(withEngine.train, { line: () => {} })
  const candidates = candidatesOf(withEngine, data, analysis.size, flags.patch)
  if ('seconds' in budget) output.line(`timing steps of promising models on this machine${busyText()}`)
  const choices =
    'compute' in budget
      ? choicesForCompute(analysis, candidates, budget.compute)
      : await choicesForTime(
          analysis,
          candidates,
          budget.seconds * PLANNED_SHARE,
          timeOnThisMachine(data, (text) => output.line(text)),
        )
  show(choices, analysis, output)
}

/** A warning where other work takes part of the processors; Windows does not tell. */
function busyText(): string {
  const load = loadavg()[0]
  return load > BUSY * availableParallelism()
    ? `, which is busy (load ${load.toFixed(1)}): the times will hold only while it stays so`
    : ''
}

function checkDoubts({ law }: Analysis, isAnyway: boolean, output: Output): void {
  if (law.doubts.length === 0) return
  const text = `the data do not determine the law: ${law.doubts.join('; ')}`
  if (!isAnyway) throw new Failure(`no plan: ${text}. Train more sizes over a wider range, or give --anyway`)
  output.notice(`${text}; planned anyway`)
}

/** The grid that was named, or that of the folder of results. */
async function gridOf(results: readonly string[], given: string | undefined): Promise<Grid | null> {
  if (given !== undefined) return readGrid(given)
  for (const folder of results) {
    const path = join(folder, GRID_FILE)
    if ((await stat(path).catch(() => null)) !== null) return readGrid(path)
  }
  return null
}

/** Size and data alone, where no grid says what networks there are. */
function planWithoutGrid(analysis: Analysis, budget: ReturnType<typeof parseBudget>, output: Output): void {
  if ('seconds' in budget) {
    throw new UsageError('a time needs to know what is trained: give --grid <file>, or the folder of `dit scaling run`')
  }
  const cost = costOf(analysis)
  const { n, d } = checkInput(
    () => allocateCompute(analysis.law.fit.law, budget.compute, cost),
    (message) => message.replace(/^\w+: /, ''),
  )
  const { loss, interval: run } = analysis.predict(n, d)
  output.line(`best use of ${quantityText(budget.compute)} multiply-adds, by the law`)
  output.line(`  size      ${quantityText(n)} ${analysis.size}`)
  output.line(`  data      ${quantityText(d)} examples`)
  output.line(
    `  ${(analysis.lossName === 'held-out error' ? 'loss' : analysis.lossName).padEnd(8)}  ${formatNumber(loss)}, a run in ${percentOf(analysis)} from ${intervalText(run)}`,
  )
  tellExtrapolation(analysis, n, d, output)
  output.event({ type: 'scaling-plan', n, d, compute: budget.compute, loss, interval: run })
}

function planLoss(analysis: Analysis, loss: number, output: Output): void {
  const { n, d, compute } = checkInput(
    () => computeForLoss(analysis.law.fit.law, loss, costOf(analysis)),
    (message) => `--loss ${loss}: ${message.replace(/^\w+: /, '')}`,
  )
  const { interval: run } = analysis.predict(n, d)
  output.line(
    `a loss of ${formatNumber(loss)} takes at least ${quantityText(compute)} multiply-adds of training, by the law`,
  )
  output.line(`  size      ${quantityText(n)} ${analysis.size}`)
  output.line(`  data      ${quantityText(d)} examples`)
  output.line(`  a run of this kind ends, in ${percentOf(analysis)}, at ${intervalText(run)}`)
  tellExtrapolation(analysis, n, d, output)
  output.event({ type: 'scaling-plan', n, d, compute, loss, interval: run })
}

/** Compute of one unit of size and one of data; where sizes are multiply-adds, exactly 3. */
function costOf({ fitted }: Analysis): number {
  const costs = fitted.map(({ compute, n, d }) => compute / (n * d)).toSorted((a, b) => a - b)
  return costs[Math.floor(costs.length / 2)]
}

function show(choices: readonly PlannedChoice[], analysis: Analysis, output: Output): void {
  const [best] = choices
  const percent = percentOf(analysis)
  const rows = choices
    .slice(0, SHOWN)
    .map(({ candidate: { shape, params, multiplyAdds }, steps, examples, loss, interval, time }) => [
      `${shape.hidden}`,
      `${shape.depth}`,
      `${shape.heads}`,
      `${shape.patch}`,
      formatQuantity(params),
      formatQuantity(multiplyAdds),
      formatCount(steps),
      formatQuantity(examples),
      ...(time === null ? [] : [formatRough(time.time.seconds)]),
      formatNumber(loss),
      intervalText(interval),
    ])
  const isTimed = best.time !== null
  const header = [
    'hidden',
    'depth',
    'heads',
    'patch',
    'params',
    'multiply-adds',
    'steps',
    'examples',
    ...(isTimed ? ['time'] : []),
    'loss',
    `${percent} of runs`,
  ]
  for (const line of formatTable(
    [header, ...rows],
    header.map((_, i) => i < header.length - 1),
  ))
    output.line(line)
  const command = flagsText({ ...best.candidate.flags, steps: best.steps })
  output.line(`\ntrain the best of them with\n  dit train ${command}`)
  output.line(
    `${best.time === null ? '' : `it takes about ${formatRough(best.time.time.seconds)}, and `}its ${analysis.lossName} should be ${formatNumber(best.loss)}, in ${percent} of runs ${intervalText(best.interval)}`,
  )
  tellExtrapolation(analysis, best.candidate.n, best.examples, output)
  output.event({
    type: 'scaling-plan',
    command: `dit train ${command}`,
    choices: choices.map(({ candidate: { n, params, multiplyAdds, shape, batchSize }, time, ...rest }) => ({
      n,
      params,
      multiplyAdds,
      ...shape,
      batchSize,
      ...rest,
      seconds: time?.time.seconds ?? null,
    })),
  })
}

/** Says how far a plan lies outside the runs that the law was fitted to, and where a factor of three was passed. */
function tellExtrapolation({ fitted, size, spread, predict }: Analysis, n: number, d: number, output: Output): void {
  const beyond = [
    [size, n, fitted.map((run) => run.n)],
    ['examples', d, fitted.map((run) => run.d)],
  ] as const
  for (const [what, value, known] of beyond) {
    const [low, high] = [Math.min(...known), Math.max(...known)]
    const factor = Math.max(value / high, low / value)
    if (factor <= 1.001) continue
    output.notice(
      `${quantityText(value)} ${what} are ${Number(factor.toPrecision(2))} times ${value > high ? 'more than' : 'less than'} any run had: the law is extrapolated there`,
    )
  }
  const { decades } = predict(n, d)
  if (decades < 0.01) return
  const times = Number((10 ** decades).toPrecision(2))
  output.notice(
    spread === null
      ? `the compute is ${times} times that of any run: the interval knows how runs lie about the law, but not how far the law is off there`
      : `the compute is ${times} times that of any run: the interval is widened, since laws of smaller budgets missed the larger ones of these runs by ${percentText(spread.perDecade)} a decade`,
  )
}

const percentOf = ({ level }: Analysis) => `${Number((100 * level).toPrecision(3))} %`
