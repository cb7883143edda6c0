import { countParameters } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import type { TrainRecipe } from '@dit/train-ddp'
import type { RunConfig } from '../run/run-config.js'
import { formatCount, formatNumber, formatQuantity, formatTable } from '../terminal/format.js'

/** What is trained, on what and how, for the user to read; the recipe in full. */
export function describeRun(config: RunConfig, folder: string): string[] {
  return [
    ...formatTable([
      ['data', dataText(config)],
      ['model', modelText(config)],
      ['run', `${formatCount(config.steps)} steps, seed ${config.seed}, into ${folder}`],
    ]),
    ...recipeLines(config.recipe),
  ]
}

function dataText({ data, classes, flip }: RunConfig): string {
  const what =
    data.kind === 'shapes'
      ? `${formatCount(data.length)} generated shapes`
      : `${formatCount(data.length)} ${data.kind === 'latents' ? 'latents' : 'pictures'} from ${data.folder}`
  const mirrored = flip ? 'mirrored at random' : 'not mirrored'
  return `${what}, ${data.size}x${data.size}, ${classes.length} classes, ${mirrored}`
}

function modelText({ model, modelName }: RunConfig): string {
  const { hiddenSize, depth, numHeads, patchSize } = model
  const { multiplyAdds } = countMultiplyAdds(model)
  return [
    ...(modelName === null ? [] : [modelName]),
    `hidden ${hiddenSize}, depth ${depth}, heads ${numHeads}, patch ${patchSize}`,
    `${formatCount(countParameters(model).trainable)} parameters`,
    `${formatQuantity(multiplyAdds)} multiply-adds a picture`,
  ].join(', ')
}

function recipeLines(recipe: TrainRecipe): string[] {
  const { name, diffusion, ...settings } = recipe
  const { batchSize, microBatchSize = batchSize } = settings
  const rows = Object.entries({ ...settings, microBatchSize, ...diffusion }).map(([field, value]) => [
    `  ${field}`,
    valueText(value),
  ])
  return [`recipe ${name}`, ...formatTable(rows)]
}

function valueText(value: number | string | boolean | ArrayLike<number> | null | undefined): string {
  if (typeof value === 'number') return formatNumber(value)
  if (value === null || value === undefined) return 'none'
  return typeof value === 'object' ? `${value.length} values` : String(value)
}
