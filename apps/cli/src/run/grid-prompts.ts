import type { Dataset } from '@dit/data'
import type { ConditionSpec, ConditionValues, DiTConfig } from '@dit/model'
import type { ModelInMemory } from '@dit/pipeline'
import { type TrainBatch, withPrompts } from '@dit/train-ddp'
import { denoisingOrNull } from './objective-config.js'
import type { RunConfig } from './run-config.js'
import { trainBatch } from './train-batch.js'

/** Rows of a grid of samples. */
export const GRID_ROWS = 10

/** Rows of a run's grids: its first classes, or some of its pictures, whose conditions are prompts. */
export function gridRows(config: RunConfig): number {
  const { classes, data } = config
  const { conditions } = denoisingOrNull(config)?.model ?? {}
  if (conditions?.length === 0) return 1
  return Math.min(GRID_ROWS, conditions !== undefined && data.kind !== 'module' ? data.length : classes.length)
}

/**
 * The model of a run as its grids sample it. One with conditions is told those of some pictures of the data, spread over all, and its classes
 * are these; any other is as it was.
 */
export async function withGridPrompts(model: ModelInMemory, dataset: Dataset | null): Promise<ModelInMemory> {
  const { conditions } = model.network as Partial<DiTConfig>
  if (!Array.isArray(conditions) || dataset === null) return model
  if (conditions.length === 0) {
    return { ...model, network: withPrompts(model.network as DiTConfig, {}, 1), classNames: ['told nothing'] }
  }
  const count = Math.min(GRID_ROWS, dataset.length)
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * dataset.length) / count))
  const batch = trainBatch(await dataset.read(indices), dataset)
  const { files } = dataset as { readonly files?: readonly string[] }
  return {
    ...model,
    network: withPrompts(model.network as DiTConfig, promptsOf(conditions as readonly ConditionSpec[], batch), count),
    classNames: indices.map((index) => files?.[index] ?? `picture ${index}`),
  }
}

/** Values of conditions, as a batch has them. */
export function promptsOf(
  specs: readonly ConditionSpec[],
  { arrays }: Pick<TrainBatch, 'arrays'>,
): Readonly<Record<string, ConditionValues>> {
  const values = specs.map(({ name }) => {
    return [name, { data: arrays[name].data, lengths: arrays[`${name}.length`]?.data }] as const
  })
  return Object.fromEntries(values)
}
