import { type StoredSpec, type TensorFile, toFloat32 } from '@dit/checkpoint'
import type { Shape } from '@dit/tensor'
import { unpublishedFields } from '../check-blocks.js'
import { type DiTConfig, numTokens } from '../config.js'
import { parameterShapes } from '../parameter-shapes.js'
import { configFromMetadata } from './description.js'
import { configFromDiffusers } from './diffusers-config.js'
import { recipesForDiffusers, recipesFromDiffusers, unusedBesideFused } from './diffusers-names.js'
import { LayoutError } from './error.js'
import { type ConfigHints, draftConfig } from './infer-config.js'
import type { ReadLayoutOptions, Undescribed } from './model-weights.js'
import { shapesOf } from './program.js'
import { type Recipe, readRecipe, specOf } from './recipe.js'
import { boundedDepth, requireFit } from './require-fit.js'

/** Most tokens of a model whose position table is computed: a number in a file must not take all memory. */
const MAX_TOKENS = 2 ** 20

/**
 * Weights under diffusers' names.
 *
 * @throws LayoutError or RangeError where they are not those of a DiT
 */
export function readDiffusers(
  file: TensorFile,
  { config, diffusersConfig, hints = {} }: ReadLayoutOptions,
): Undescribed {
  const { entries } = file
  const has = (name: string) => entries.has(name)
  const known =
    config ?? configFromMetadata(file) ?? (diffusersConfig === undefined ? null : configFromDiffusers(diffusersConfig))
  requireSameConfig(file, diffusersConfig)
  const found =
    known === null ? inferDiffusers(entries, hints) : { config: known, assumptions: olderClass(diffusersConfig, has) }
  const [other] = unpublishedFields(found.config)
  if (other !== undefined) throw new RangeError(`weights: diffusers' DiT has no other ${other}`)
  const recipes = recipesFromDiffusers(boundedDepth(found.config, entries.size), has)
  if (numTokens(found.config) > MAX_TOKENS)
    throw new RangeError(`weights: inputSize must give at most ${MAX_TOKENS} tokens`)
  requireFit(found.config, diffusersShapes(found.config, recipes), shapesOf(file), unusedBesideFused(found.config, has))

  const specs = new Map<string, StoredSpec>()
  for (const name of Object.keys(parameterShapes(found.config))) specs.set(name, specOf(recipes.get(name)!, entries))
  const tensor = async (name: string) => {
    const recipe = recipes.get(name)
    if (recipe === undefined) throw new RangeError(`weights: there is no parameter ${JSON.stringify(name)}`)
    return readRecipe(recipe, file)
  }
  const float32 = async (name: string) => toFloat32(await tensor(name))
  return { entries: specs, tensor, float32, layout: 'diffusers', ...found }
}

/**
 * What the class from before `DiTTransformer2DModel` computes otherwise: for inputs of 128 and more, or by its option, it stretches the
 * positions that it does not store.
 */
function olderClass(json: unknown, has: (name: string) => boolean): string[] {
  const {
    _class_name,
    sample_size: size,
    interpolation_scale: given,
  } = (json ?? {}) as Readonly<Record<string, unknown>>
  if (_class_name !== 'Transformer2DModel' || has('pos_embed.pos_embed')) return []
  const scale = typeof given === 'number' ? given : typeof size === 'number' ? Math.max(1, Math.floor(size / 64)) : 1
  if (scale === 1) return []
  return [
    `the positions of DiTTransformer2DModel, though Transformer2DModel, which config.json names, divides them by ${scale} (interpolation_scale)`,
  ]
}

/** What `config.json` beside weights and the metadata of the weights both say. */
const SHARED = [
  'inputSize',
  'patchSize',
  'inChannels',
  'hiddenSize',
  'depth',
  'numHeads',
  'numClasses',
  'learnSigma',
] as const

/** Throws where the `config.json` beside weights is that of another network than their metadata say. */
function requireSameConfig(file: TensorFile, json: unknown): void {
  const own = configFromMetadata(file)
  if (own === null || json === undefined) return
  const theirs = configFromDiffusers(json)
  const name = SHARED.find((field) => JSON.stringify(own[field]) !== JSON.stringify(theirs[field]))
  if (name !== undefined) {
    throw new RangeError(
      `weights: config.json says ${name} ${JSON.stringify(theirs[name])}, but the metadata of the weights say ${JSON.stringify(own[name])}`,
    )
  }
  const [epsilon, other] = [own, theirs].map(({ mlpNormEpsilon = 1e-6 }) => mlpNormEpsilon)
  if (epsilon === other) return
  throw new RangeError(`weights: config.json says norm_eps ${other}, but the metadata of the weights say ${epsilon}`)
}

/** diffusers' names and shapes for a configuration: ours, taken apart. */
function diffusersShapes(config: DiTConfig, recipes: ReadonlyMap<string, Recipe>): Map<string, Shape> {
  const ours = new Map(
    Object.entries(parameterShapes(config)).map(([name, shape]) => [name, { dtype: 'F32', shape } as const]),
  )
  const shapes = new Map<string, Shape>()
  for (const [name, recipe] of recipesForDiffusers(config)) shapes.set(name, specOf(recipe, ours).shape)
  for (const [name, recipe] of recipes) {
    if (recipe.kind !== 'same') continue
    for (const theirs of recipe.names) shapes.set(theirs, ours.get(name)!.shape)
  }
  return shapes
}

/** The configuration that the shapes of a diffusers file suggest. */
function inferDiffusers(entries: ReadonlyMap<string, StoredSpec>, hints: ConfigHints) {
  const renamed = new Map<string, Shape>()
  const take = (ours: string, theirs: string) => {
    const shape = entries.get(theirs)?.shape
    if (shape !== undefined) renamed.set(ours, shape)
  }
  take('x_embedder.proj.weight', 'pos_embed.proj.weight')
  take('y_embedder.embedding_table.weight', 'transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight')
  take('final_layer.linear.weight', 'proj_out_2.weight')
  const side = 32
  const [hiddenSize, , patchSize] = renamed.get('x_embedder.proj.weight') ?? []
  renamed.set('pos_embed', entries.get('pos_embed.pos_embed')?.shape ?? [1, (side / patchSize) ** 2, hiddenSize])
  for (const name of entries.keys()) {
    const i = /^transformer_blocks\.(\d{1,6})\./.exec(name)?.[1]
    if (i !== undefined) take(`blocks.${i}.mlp.fc1.weight`, `transformer_blocks.${i}.ff.net.0.proj.weight`)
  }
  const inferred = draftConfig(renamed, hints)
  if (inferred === null) {
    const missing = ['transformer_blocks.0', 'proj_out_2.weight'].filter((start) => {
      return ![...entries.keys()].some((name) => name.startsWith(start))
    })
    throw new LayoutError("weights: the names must be those of diffusers' DiT", {
      missing,
      misshaped: [],
      unexpected: [],
    })
  }
  const config: DiTConfig = { ...inferred.config, timestepFrequencyShift: 1, mlpNormEpsilon: 1e-5 }
  const assumptions = [
    ...inferred.assumptions,
    `an input of ${config.inputSize} x ${config.inputSize}`,
    'norm_eps 1e-5',
  ]
  return { config, assumptions }
}
