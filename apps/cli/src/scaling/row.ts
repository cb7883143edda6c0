import { countedNetwork, countParameters, type DiTConfig } from '@dit/model'
import { countMultiplyAdds, type ScalingRun } from '@dit/scaling'
import type { StepRecord } from '@dit/train-ddp'
import { denoisingOrNull } from '../run/objective-config.js'
import type { RunConfig } from '../run/run-config.js'
import { type Counts, countsOfSpec } from './counted-spec.js'
import { measuresOf, type RowMeasures } from './row-measures.js'

/** What the law's size counts. */
export const SIZE_KINDS = ['multiply-adds', 'params'] as const
export type SizeKind = (typeof SIZE_KINDS)[number]

/** A row of a table of results: a run, with what is known of it. */
export interface ResultRow {
  readonly name: string
  /** Trained parameters. */
  readonly params: number | null
  /** Multiply-adds of a forward pass for one example. */
  readonly multiplyAdds: number | null
  /** Examples drawn. */
  readonly examples: number
  /** Multiply-adds of the training, three forward passes an example. */
  readonly compute: number | null
  /** Nominal compute, which runs of one budget share. */
  readonly budget: number | null
  readonly loss: number | null
  readonly finished: boolean
  /** How often each example was seen. */
  readonly epochs: number | null
  readonly seed: number | null
  readonly hidden: number | null
  readonly depth: number | null
  readonly heads: number | null
  readonly patch: number | null
  readonly lr: number | null
  readonly measures: RowMeasures
}

/**
 * Columns of a table, in their order; the first is text, `finished` is yes or no, the others are numbers. Those of measures follow, where
 * there are any.
 */
export const COLUMNS = [
  'name',
  'params',
  'multiplyAdds',
  'examples',
  'compute',
  'budget',
  'loss',
  'finished',
  'epochs',
  'seed',
  'hidden',
  'depth',
  'heads',
  'patch',
  'lr',
] as const satisfies readonly (keyof Omit<ResultRow, 'measures'>)[]

/** A column that every table may have. */
export type Column = (typeof COLUMNS)[number]

/** Names of columns in other tables. */
export const ALIASES: Readonly<Record<string, Column>> = {
  n: 'params',
  parameters: 'params',
  'multiply-adds': 'multiplyAdds',
  multiply_adds: 'multiplyAdds',
  d: 'examples',
  samples: 'examples',
  c: 'compute',
  heldout: 'loss',
  'held-out': 'loss',
  run: 'name',
}

/** What a run says beside its folder. */
export interface RowExtras {
  readonly budget?: number
  /** Of a network whose multiply-adds only the grid tells. */
  readonly multiplyAdds?: number
  /** Of a network whose parameters only the grid has counted. */
  readonly params?: number
  /** Its loss became infinite, and it was given up. */
  readonly isDiverged?: boolean
}

/** A run as a row. Its loss is the held-out error after its last step. */
export function rowOfRun(
  name: string,
  config: RunConfig,
  records: readonly StepRecord[],
  extras: RowExtras = {},
): ResultRow {
  const last = records.at(-1)
  const examples = (last?.step ?? 0) * config.recipe.batchSize
  const finished = last !== undefined && last.step >= config.steps
  const denoising = denoisingOrNull(config)
  const counted = denoising === null ? countsOfSpec(specOf(config)) : countsOfModel(denoising.model)
  const counts = {
    params: counted.params ?? extras.params ?? null,
    multiplyAdds: counted.multiplyAdds ?? extras.multiplyAdds ?? null,
  }
  const measured = records.findLast(({ measures }) => measures?.heldOut !== undefined)
  const isMeasured = measured !== undefined && measured.step === last!.step
  const model = denoising?.model
  return {
    name,
    ...counts,
    examples,
    compute: counts.multiplyAdds === null ? null : 3 * counts.multiplyAdds * examples,
    budget: extras.budget ?? null,
    loss: extras.isDiverged === true ? NaN : finished && isMeasured ? measured.measures!.heldOut : null,
    finished: finished || extras.isDiverged === true,
    epochs: epochsOf(config, examples),
    seed: config.seed,
    hidden: model?.hiddenSize ?? null,
    depth: model?.depth ?? null,
    heads: model?.numHeads ?? null,
    patch: model?.patchSize ?? null,
    lr: config.recipe.learningRate,
    measures: finished && extras.isDiverged !== true ? measuresOf(last) : {},
  }
}

function countsOfModel(model: DiTConfig): Counts {
  return {
    params: countParameters(model).trainable,
    multiplyAdds: countMultiplyAdds(countedNetwork(model)).multiplyAdds,
  }
}

function specOf({ objective }: RunConfig): object {
  return 'spec' in objective ? objective.spec : {}
}

function epochsOf({ data, heldOut }: RunConfig, examples: number): number | null {
  if (data.kind === 'module') return null
  return examples / Math.max(1, Math.round(data.length * (1 - (heldOut?.share ?? 0))))
}

/**
 * Rows as the library takes them, of those whose size is known. Compute that nobody tells is that of a network which uses each parameter once
 * an example: 3 multiply-adds each.
 */
export function scalingRuns(rows: readonly ResultRow[], size: SizeKind): (ScalingRun & { readonly row: ResultRow })[] {
  return rows.flatMap((row) => {
    const n = size === 'params' ? row.params : row.multiplyAdds
    if (n === null) return []
    const { name, examples: d, loss, finished: isFinished, epochs, seed, budget } = row
    return [
      {
        name,
        n,
        d,
        compute: row.compute ?? 3 * (row.multiplyAdds ?? n) * d,
        loss,
        isFinished,
        ...(epochs === null ? {} : { epochs }),
        ...(seed === null ? {} : { seed }),
        ...(budget === null ? {} : { budget }),
        ...(row.patch === null ? {} : { kind: `patch ${row.patch}` }),
        row,
      },
    ]
  })
}
