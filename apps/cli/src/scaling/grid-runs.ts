import { countedNetwork, countParameters } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import { denoisingOf } from '../run/objective-config.js'
import { plannedData } from '../run/plan-training.js'
import { resolveRun } from '../run/resolve-run.js'
import { plannedModule } from '../run/planned-module.js'
import { EVALUATION_SETTINGS } from '../settings/evaluation-settings.js'
import { firstGiven } from '../settings/setting.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'
import { countsOfSpec } from './counted-spec.js'
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
  readonly params: number
  /** Of a DiT. */
  readonly patch: number | null
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
  const runs: PlannedRun[] = []
  for (const model of grid.models) {
    const flags = { ...grid.train, ...model.flags }
    const counted = await countsOf(grid, model, (given) => resolveRun(given, classes, 1, latents))
    const own = grid.budgets.flatMap((budget) => {
      if (grid.skip.some((point) => point.model === model.name && point.budget === budget)) return []
      const repeated = grid.repeats.filter((point) => point.model === model.name && point.budget === budget)
      const seeds = [...new Set([...grid.seeds, ...repeated.flatMap((repeat) => repeat.seeds)])]
      return seeds.map((seed) => runOf(grid, model, { flags, budget, seed, ...counted }))
    })
    runs.push(...own)
  }
  if (runs.length === 0) throw new UsageError('the grid has no runs: "skip" leaves all of them out')
  return runs.toSorted((a, b) => a.budget - b.budget || a.multiplyAdds - b.multiplyAdds || a.seed - b.seed)
}

interface Counted {
  readonly batchSize: number
  readonly multiplyAdds: number
  readonly params: number
  readonly hidden: number | null
  readonly patch: number | null
}

async function countsOf(
  grid: Grid,
  model: GridModel,
  resolve: (flags: TrainFlags) => ReturnType<typeof resolveRun>,
): Promise<Counted> {
  const flags = withEvaluation({ ...grid.train, ...model.flags }, 1)
  try {
    if (flags.objective !== undefined) return await countsOfModule(grid, model, flags)
    if (model.multiplyAdds !== undefined) {
      throw new UsageError(
        '"multiplyAdds" is for the network of a module, and this is a DiT, which is counted; leave it out',
      )
    }
    const run = resolve(flags)
    const { model: config } = denoisingOf(run, 'dit scaling run')
    return {
      batchSize: run.recipe.batchSize,
      multiplyAdds: countMultiplyAdds(countedNetwork(config)).multiplyAdds,
      params: countParameters(config).trainable,
      hidden: config.hiddenSize,
      patch: config.patchSize,
    }
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause
    throw new UsageError(`model ${model.name}: ${cause.message}`, { cause })
  }
}

async function countsOfModule(grid: Grid, model: GridModel, flags: TrainFlags): Promise<Counted> {
  const { plan, objective } = await plannedModule(flags)
  const { multiplyAdds } = countsOfSpec(objective.spec)
  const told = model.multiplyAdds
  if (multiplyAdds === null && told === undefined) {
    throw new UsageError(
      'the network of a module needs "multiplyAdds", those of a forward pass for one example; here, or in the `spec` of the network',
    )
  }
  if (multiplyAdds !== null && told !== undefined && multiplyAdds !== told) {
    throw new UsageError(`"multiplyAdds" ${told}: the network counts ${multiplyAdds} itself; leave it out`)
  }
  if (grid.learningRate !== null && flags.lr === undefined) {
    throw new UsageError(
      '"learningRate" goes by `hidden`, which the network of a module does not have; give this model its own "lr"',
    )
  }
  const trained = Object.values(objective.parameters).filter(({ isTrainable = true }) => isTrainable)
  return {
    batchSize: plan.recipe.batchSize,
    multiplyAdds: (multiplyAdds ?? told)!,
    params: trained.reduce((sum, { shape }) => sum + shape.reduce((size, extent) => size * extent, 1), 0),
    hidden: null,
    patch: null,
  }
}

/** Options of a run that is evaluated without being told when: after its last step. */
export function withEvaluation(flags: TrainFlags, steps: number): TrainFlags {
  const isEvaluated = flags.evalEvery === undefined && firstGiven(EVALUATION_SETTINGS, flags) !== undefined
  return isEvaluated ? { ...flags, evalEvery: steps } : flags
}

/** Options without those of an evaluation that is not told when: of a run whose steps are not known yet. */
export function withoutEvaluation(flags: TrainFlags): TrainFlags {
  if (flags.evalEvery !== undefined) return flags
  return Object.fromEntries(Object.entries(flags).filter(([key]) => !(key in EVALUATION_SETTINGS)))
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
    patch,
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
    flags: { ...withEvaluation(flags, steps), steps, seed, ...(lr === undefined ? {} : { lr }) },
    batchSize,
    multiplyAdds,
    params,
    patch,
    compute: steps * perStep,
  }
}

/** The learning rate of a rule, to four digits. */
export function rateAt(rule: RateRule | null, hidden: number): number | undefined {
  if (rule === null) return undefined
  return Number((rule.rate * (hidden / rule.atHidden) ** rule.power).toPrecision(4))
}
