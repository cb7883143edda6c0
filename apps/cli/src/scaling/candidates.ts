import { isDeepStrictEqual } from 'node:util'
import { countedNetwork, countParameters } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import { denoisingOf } from '../run/objective-config.js'
import type { PlannedData } from '../run/plan-training.js'
import { resolveRun } from '../run/resolve-run.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'
import type { Grid } from './grid.js'
import { rateAt, withoutEvaluation } from './grid-runs.js'
import { withPatch } from './patch-sizes.js'
import type { SizeKind } from './row.js'

/** A DiT that a plan may choose. */
export interface PlanCandidate {
  /** Size in the units of the law. */
  readonly n: number
  /** Multiply-adds of a training step for one example. */
  readonly costPerExample: number
  readonly params: number
  readonly multiplyAdds: number
  readonly shape: Shape
  readonly batchSize: number
  /** With which `dit train` trains it; the steps are still missing. */
  readonly flags: TrainFlags
}

/** Sizes of a DiT. */
export interface Shape {
  readonly hidden: number
  readonly depth: number
  readonly heads: number
  readonly patch: number
}

/** A DiT that is planned with: its sizes, and the options of its model. */
interface Planned extends Shape {
  readonly flags: TrainFlags
  /** Whether it is one of the grid. */
  readonly isGiven: boolean
}

/** Hidden sizes between two neighbours of the table, and beyond the largest, over it. */
const STEPS_BETWEEN = 3
const BEYOND = [1.25, 1.5]

/**
 * DiTs like those of a grid: its own with all their options, some between each two of the same patch that differ in their sizes only, and
 * a few larger ones. Where models have learning rates of their own, no rule gives one to other sizes, and there are none.
 *
 * @param patch only those with patches of this size
 * @throws UsageError for a grid without a DiT, or without one of these patches
 */
export function candidatesOf(
  grid: Grid,
  { classes, latents }: PlannedData,
  size: SizeKind,
  patch?: number,
): PlanCandidate[] {
  const merged = grid.models.map(({ flags }) => withoutEvaluation({ ...grid.train, ...flags }))
  const dits = merged.filter(({ objective }) => objective === undefined)
  if (dits.length === 0) throw new UsageError('the grid has no DiT, and no other network can be planned')
  const given = dits.map((flags) => ({ ...shapeOf(flags, classes, latents), flags, isGiven: true }))
  const known = withPatch(given, patch)
  const all = [...known, ...between(known, grid.train.lr)]
  const different = all.filter((shape, i) => all.findIndex((other) => isSame(other, shape)) === i)
  return different.flatMap(({ flags: own, isGiven, ...shape }) => {
    const rate = own.lr ?? rateAt(grid.learningRate, shape.hidden)
    const flags: TrainFlags = { ...own, model: undefined, ...shape, ...(rate === undefined ? {} : { lr: rate }) }
    try {
      const run = resolveRun(flags, classes, 1, latents)
      const { model } = denoisingOf(run, 'dit scaling plan')
      const { multiplyAdds, trainingMultiplyAdds } = countMultiplyAdds(countedNetwork(model))
      const params = countParameters(model).trainable
      const n = size === 'params' ? params : multiplyAdds
      const { batchSize } = run.recipe
      return [{ n, costPerExample: trainingMultiplyAdds, params, multiplyAdds, shape, batchSize, flags }]
    } catch (error) {
      // An in-between size that no model can have is no candidate.
      if (error instanceof UsageError && !isGiven) return []
      throw error
    }
  })
}

function shapeOf(flags: TrainFlags, classes: number, latents: PlannedData['latents']): Shape {
  const { model } = denoisingOf(resolveRun(flags, classes, 1, latents), 'dit scaling plan')
  return { hidden: model.hiddenSize, depth: model.depth, heads: model.numHeads, patch: model.patchSize }
}

/** @param commonRate learning rate of the whole grid, which other sizes may have as well */
function between(given: readonly Planned[], commonRate: number | undefined): Planned[] {
  const patches = [...new Set(given.map(({ patch }) => patch))]
  return patches.flatMap((patch) => {
    const sorted = given.filter((each) => each.patch === patch).toSorted((a, b) => a.hidden - b.hidden)
    const mayVary = ({ flags }: Planned) => flags.lr === undefined || flags.lr === commonRate
    const inside = sorted.slice(1).flatMap((to, i) => {
      const from = sorted[i]
      if (!mayVary(from) || !isDeepStrictEqual(otherFlags(from), otherFlags(to))) return []
      const steps = Array.from({ length: STEPS_BETWEEN }, (_, k) => (k + 1) / (STEPS_BETWEEN + 1))
      return steps.map((share) => ({ ...mixed(from, to, share), flags: from.flags, isGiven: false }))
    })
    const largest = sorted.at(-1)!
    const beyond = mayVary(largest) ? BEYOND : []
    return [
      ...inside,
      ...beyond.map((factor) => ({ ...scaled(largest, factor), flags: largest.flags, isGiven: false })),
    ]
  })
}

/** Options that are not sizes. */
function otherFlags({ flags }: Planned): TrainFlags {
  const { model: _model, hidden: _hidden, depth: _depth, heads: _heads, patch: _patch, ...rest } = flags
  return rest
}

/** Between two shapes, with heads as wide as those of the smaller. */
function mixed(from: Shape, to: Shape, share: number): Shape {
  const width = from.hidden / from.heads
  const heads = Math.max(1, Math.round((from.hidden * (to.hidden / from.hidden) ** share) / width))
  return {
    hidden: heads * width,
    heads,
    depth: Math.round(from.depth + share * (to.depth - from.depth)),
    patch: from.patch,
  }
}

function scaled({ hidden, heads, depth, patch }: Shape, factor: number): Shape {
  const width = hidden / heads
  const more = Math.max(heads + 1, Math.round(heads * factor))
  return { hidden: more * width, heads: more, depth: Math.max(depth, Math.round(depth * factor)), patch }
}

const isSame = (a: Shape, b: Shape) =>
  a.hidden === b.hidden && a.depth === b.depth && a.heads === b.heads && a.patch === b.patch
