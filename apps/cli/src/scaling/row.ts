import { countParameters } from '@dit/model'
import { countMultiplyAdds, type ScalingRun } from '@dit/scaling'
import type { StepRecord } from '@dit/train-ddp'
import { denoisingOrNull } from '../run/objective-config.js'
import type { RunConfig } from '../run/run-config.js'

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
}

/** Columns of a table, in their order; the first is text, `finished` is yes or no, the others are numbers. */
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
] as const satisfies readonly (keyof ResultRow)[]

/** Names of columns in other tables. */
export const ALIASES: Readonly<Record<string, keyof ResultRow>> = {
  n: 'params',
  parameters: 'params',
  'multiply-adds': 'multiplyAdds',
  multiply_adds: 'multiplyAdds',
  d: 'examples',
  samples: 'examples',
  c: 'compute',
  flops: 'compute',
  heldout: 'loss',
  'held-out': 'loss',
  run: 'name',
}

/** What a run says beside its folder. */
export interface RowExtras {
  readonly budget?: number
  /** Of a network whose multiply-adds only the grid tells. */
  readonly multiplyAdds?: number
  /** Its loss became infinite, and it was given up. */
  readonly isDiverged?: boolean
}

/** Numbers that a module's own spec may carry, so that its network can be compared with others. */
interface CountedSpec {
  readonly parameters?: unknown
  readonly multiplyAdds?: unknown
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
  const counted = denoising === null ? countsOfModule(config) : countsOfModel(denoising.model)
  const counts = { ...counted, multiplyAdds: counted.multiplyAdds ?? extras.multiplyAdds ?? null }
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
  }
}

function countsOfModel(model: Parameters<typeof countMultiplyAdds>[0] & Parameters<typeof countParameters>[0]): Counts {
  return { params: countParameters(model).trainable, multiplyAdds: countMultiplyAdds(model).multiplyAdds }
}

type Counts = Pick<ResultRow, 'params' | 'multiplyAdds'>

/** Of a network that is not ours, only what its module tells. */
function countsOfModule({ objective }: RunConfig): Counts {
  const spec: CountedSpec = 'spec' in objective ? objective.spec : {}
  const network = (spec as { readonly network?: CountedSpec }).network ?? {}
  const count = (key: keyof CountedSpec) => {
    const found = [spec[key], network[key]].find((value) => typeof value === 'number' && value > 0)
    return (found as number | undefined) ?? null
  }
  return { params: count('parameters'), multiplyAdds: count('multiplyAdds') }
}

function epochsOf({ data, heldOut }: RunConfig, examples: number): number | null {
  if (data.kind === 'module') return null
  return examples / Math.max(1, Math.round(data.length * (1 - (heldOut?.share ?? 0))))
}

/** Rows as the library takes them, of those whose size is known. */
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
        compute: row.compute ?? (row.multiplyAdds === null ? 6 * n * d : 3 * row.multiplyAdds * d),
        loss,
        isFinished,
        ...(epochs === null ? {} : { epochs }),
        ...(seed === null ? {} : { seed }),
        ...(budget === null ? {} : { budget }),
        row,
      },
    ]
  })
}
