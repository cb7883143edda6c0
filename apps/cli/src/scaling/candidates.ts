import { countParameters } from '@dit/model'
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

/** Hidden sizes between two neighbours of the table, and beyond the largest, over it. */
const STEPS_BETWEEN = 3
const BEYOND = [1.25, 1.5]

/**
 * DiTs like those of a grid: its own, some between each two of the same patch, and a few larger ones.
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
  const dits = grid.models.filter(({ flags }) => flags.objective === undefined)
  if (dits.length === 0) throw new UsageError('the grid has no DiT, and no other network can be planned')
  const train = withoutEvaluation(grid.train)
  const shapes = withPatch(
    dits.map(({ flags }) => shapeOf({ ...train, ...withoutEvaluation(flags) }, classes, latents)),
    patch,
  )
  const all = [...shapes, ...between(shapes)]
  const different = all.filter((shape, i) => all.findIndex((other) => isSame(other, shape)) === i)
  return different.flatMap((shape) => {
    const rate = train.lr ?? rateAt(grid.learningRate, shape.hidden)
    const flags: TrainFlags = { ...train, model: undefined, ...shape, ...(rate === undefined ? {} : { lr: rate }) }
    try {
      const run = resolveRun(flags, classes, 1, latents)
      const { model } = denoisingOf(run, 'dit scaling plan')
      const { multiplyAdds, trainingMultiplyAdds } = countMultiplyAdds(model)
      const params = countParameters(model).trainable
      const n = size === 'params' ? params : multiplyAdds
      return [
        {
          n,
          costPerExample: trainingMultiplyAdds,
          params,
          multiplyAdds,
          shape,
          batchSize: run.recipe.batchSize,
          flags,
        },
      ]
    } catch (error) {
      // An in-between size that no model can have is no candidate.
      if (error instanceof UsageError && !shapes.some((known) => isSame(known, shape))) return []
      throw error
    }
  })
}

function shapeOf(flags: TrainFlags, classes: number, latents: PlannedData['latents']): Shape {
  const { model } = denoisingOf(resolveRun(flags, classes, 1, latents), 'dit scaling plan')
  return { hidden: model.hiddenSize, depth: model.depth, heads: model.numHeads, patch: model.patchSize }
}

function between(shapes: readonly Shape[]): Shape[] {
  const patches = [...new Set(shapes.map(({ patch }) => patch))]
  return patches.flatMap((patch) => {
    const sorted = shapes.filter((shape) => shape.patch === patch).toSorted((a, b) => a.hidden - b.hidden)
    const largest = sorted.at(-1)!
    const inside = sorted.slice(1).flatMap((to, i) => {
      const from = sorted[i]
      return Array.from({ length: STEPS_BETWEEN }, (_, k) => mixed(from, to, (k + 1) / (STEPS_BETWEEN + 1)))
    })
    return [...inside, ...BEYOND.map((factor) => scaled(largest, factor))]
  })
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
