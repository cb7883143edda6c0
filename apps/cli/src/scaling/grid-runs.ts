import { countParameters } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import { denoisingOf } from '../run/objective-config.js'
import { plannedData } from '../run/plan-training.js'
import { resolveRun } from '../run/resolve-run.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'
import type { Grid, GridModel, RateRule } from './grid.js'

/** A run of the grid. */
export interface PlannedRun {
  readonly name: string
  readonly model: string
  readonly budget: number
  readonly seed: number
  readonly flags: TrainFlags & { readonly steps: number; readonly seed: number }
  readonly batchSize: number
  readonly multiplyAdds: number
  readonly params: number | null
  /** Multiply-adds that its steps really take. */
  readonly compute: number
}

/**
 * Runs of a grid, the cheapest first, with the steps that use up each budget.
 *
 * @throws UsageError where `dit train` would refuse the options of a run
 */
export async function plannedRuns(grid: Grid): Promise<PlannedRun[]> {
  const { classes, latents } = await plannedData(grid.train, { line: () => {} })
  const runs = grid.models.flatMap((model) => {
    const flags = { ...grid.train, ...model.flags }
    const counted = countsOf(model, flags, (given) => resolveRun(given, classes, 1, latents))
    return grid.budgets.flatMap((budget) => {
      if (grid.skip.some((point) => point.model === model.name && point.budget === budget)) return []
      const repeated = grid.repeats.filter((point) => point.model === model.name && point.budget === budget)
      const seeds = [...new Set([...grid.seeds, ...repeated.flatMap((repeat) => repeat.seeds)])]
      return seeds.map((seed) => runOf(grid, model, { flags, budget, seed, ...counted }))
    })
  })
  if (runs.length === 0) throw new UsageError('the grid has no runs: "skip" leaves all of them out')
  return runs.toSorted((a, b) => a.budget - b.budget || a.multiplyAdds - b.multiplyAdds || a.seed - b.seed)
}

interface Counted {
  readonly batchSize: number
  readonly multiplyAdds: number
  readonly params: number | null
  readonly hidden: number | null
}

function countsOf(
  model: GridModel,
  flags: TrainFlags,
  resolve: (flags: TrainFlags) => ReturnType<typeof resolveRun>,
): Counted {
  try {
    if (flags.objective !== undefined) {
      if (model.multiplyAdds === undefined)
        throw new UsageError('a network of a module needs "multiplyAdds", those of a forward pass for one example')
      if (flags.batch === undefined)
        throw new UsageError(
          'a network of a module needs "batch": its examples per step decide how many steps a budget has',
        )
      const { batchSize } = resolve({ ...flags, objective: undefined }).recipe
      return { batchSize, multiplyAdds: model.multiplyAdds, params: null, hidden: null }
    }
    const run = resolve(flags)
    const { model: config } = denoisingOf(run, 'dit scaling run')
    return {
      batchSize: run.recipe.batchSize,
      multiplyAdds: countMultiplyAdds(config).multiplyAdds,
      params: countParameters(config).trainable,
      hidden: config.hiddenSize,
    }
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause
    throw new UsageError(`model ${model.name}: ${cause.message}`, { cause })
  }
}

function runOf(
  grid: Grid,
  model: GridModel,
  {
    flags,
    budget,
    seed,
    batchSize,
    multiplyAdds,
    params,
    hidden,
  }: Counted & { flags: TrainFlags; budget: number; seed: number },
): PlannedRun {
  const perStep = 3 * multiplyAdds * batchSize
  const steps = Math.round(budget / perStep)
  if (steps < 1) {
    throw new UsageError(
      `model ${model.name}: budget ${budget.toExponential(2)} is less than one step, which takes ${perStep.toExponential(2)} multiply-adds; leave the point out with "skip"`,
    )
  }
  const lr = flags.lr ?? (hidden === null ? undefined : rateAt(grid.learningRate, hidden))
  return {
    name: `${model.name}-${budget.toExponential().replace('e+', 'e')}-s${seed}`,
    model: model.name,
    budget,
    seed,
    flags: { ...flags, steps, seed, ...(lr === undefined ? {} : { lr }) },
    batchSize,
    multiplyAdds,
    params,
    compute: steps * perStep,
  }
}

/** The learning rate of a rule, to four digits. */
export function rateAt(rule: RateRule | null, hidden: number): number | undefined {
  if (rule === null) return undefined
  return Number((rule.rate * (hidden / rule.atHidden) ** rule.power).toPrecision(4))
}
