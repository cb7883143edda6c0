import { countedNetwork, countParameters } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import type { LossWeight } from '@dit/schedules'
import { trainedText } from '../fine-tune/trained.js'
import { lossWeightText } from '../settings/loss-weight.js'
import { recipeNamed } from '../settings/named-recipes.js'
import { conditionsText } from './conditions.js'
import { isGenerated } from './generated-data.js'
import { type Denoising, denoisingOrNull } from './objective-config.js'
import { placeOfData } from './open-data.js'
import { lengthText } from './run-length.js'
import type { RunConfig } from './run-config.js'
import { formatCount, formatCounted, formatNumber, formatQuantity, formatTable } from '../terminal/format.js'

/**
 * What is trained, on what and how, for the user to read; the recipe in full.
 *
 * @param reason why this recipe was chosen; absent for a run that goes on
 */
export function describeRun(config: RunConfig, folder: string, reason?: string): string[] {
  const denoising = denoisingOrNull(config)
  return [
    ...formatTable([
      ['data', dataText(config)],
      ...(denoising?.model.conditions === undefined ? [] : [['told', conditionsText(denoising.model.conditions)]]),
      denoising === null ? ['objective', moduleText(config)] : ['model', modelText(denoising, config)],
      ...fromRows(config),
      [
        'run',
        `${formatCounted(config.steps, 'step', 'steps')}${lengthText(config)}, seed ${config.seed}, into ${folder}`,
      ],
    ]),
    ...recipeLines(config, denoising, reason),
    ...(reason === undefined ? [] : expectations(config, denoising)),
  ]
}

/** What the run began from, what became of it, and what is trained. */
export function fromRows(config: RunConfig): string[][] {
  const { from } = config
  if (from === undefined) return []
  const { title, source, sha256, changes } = from
  const what = title.includes(source) ? title : `${source}: ${title}`
  const trained = trainedText(config) ?? 'all parameters'
  return [
    ['from', `${what}, SHA-256 ${sha256.slice(0, 16)}…`],
    ...changes.map((text) => ['', text]),
    ['trains', trained],
  ]
}

function dataText({ data, classes, flip }: RunConfig): string {
  if (data.kind === 'module') return 'from the module'
  const what = isGenerated(data)
    ? `${formatCount(data.length)} generated ${data.kind}`
    : `${formatCount(data.length)} ${data.kind === 'latents' ? 'latents' : 'pictures'} from ${placeOfData(data)}`
  const mirrored = flip ? 'mirrored at random' : 'not mirrored'
  return `${what}, ${data.size}x${data.size}, ${formatCounted(classes.length, 'class', 'classes')}, ${mirrored}`
}

function moduleText({ objective }: RunConfig): string {
  return 'module' in objective ? `${objective.module}: ${JSON.stringify(objective.spec)}` : ''
}

function modelText({ model }: Denoising, { modelName }: RunConfig): string {
  const { hiddenSize, depth, numHeads, patchSize } = model
  const { multiplyAdds } = countMultiplyAdds(countedNetwork(model))
  return [
    ...(modelName === null ? [] : [modelName]),
    `hidden ${hiddenSize}, depth ${depth}, heads ${numHeads}, patch ${patchSize}`,
    `${formatCount(countParameters(model).trainable)} parameters`,
    `${formatQuantity(multiplyAdds)} multiply-adds per picture`,
  ].join(', ')
}

function recipeLines({ recipe }: RunConfig, denoising: Denoising | null, reason?: string): string[] {
  const { name, groups: _groups, ...settings } = recipe
  const { process, timestepSampler } = denoising ?? {}
  const { kind, distilled, ...ofProcess } = process ?? {}
  const sampler = kind !== 'gaussian' || distilled !== undefined ? {} : { timestepSampler }
  const named = kind === undefined ? {} : { process: kind }
  const { batchSize, microBatchSize = batchSize } = settings
  const rows = Object.entries({ ...settings, microBatchSize, ...named, ...sampler, ...ofProcess }).map(
    ([field, value]) => [`  ${field}`, valueText(value)],
  )
  const { about } = recipeNamed(name) ?? {}
  const why = reason === undefined || about === undefined ? '' : `, ${reason} (${about})`
  return [`recipe ${name}${why}`, ...formatTable(rows)]
}

/** What was measured of runs like this one; nothing where the recipe's process was changed, or the run is too short for it. */
function expectations({ recipe, data, from, steps }: RunConfig, denoising: Denoising | null): string[] {
  if (recipe.learningRate === 0) return ['expect nothing: the learning rate is 0, so that the weights stay as they are']
  if (steps <= recipe.warmupSteps) {
    const [rises, has] = [recipe.warmupSteps, steps].map(formatCount)
    return [`expect little: the learning rate rises over ${rises} steps, and the run has only ${has}; lower --warmup`]
  }
  const { expect, process } = recipeNamed(recipe.name) ?? {}
  const found = denoising?.process
  // What is expected was measured from the start.
  if (from !== undefined || expect === undefined || data.kind === 'latents' || found?.kind !== 'gaussian') return []
  return found.meanType === process?.predict && found.schedule === process?.schedule ? [`expect ${expect}`] : []
}

function isWeight(value: object): value is Exclude<LossWeight, string> {
  return 'minSnr' in value || 'maxSnr' in value || 'p2' in value
}

function valueText(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value)
  if (value === null || value === undefined) return 'none'
  if (Array.isArray(value)) return `${value.length} values`
  if (typeof value === 'string' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object') return typeof value
  return isWeight(value) ? lossWeightText(value) : Object.values(value).map(valueText).join(' ')
}
