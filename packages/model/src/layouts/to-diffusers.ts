import { type StoredSpec, type TensorFile, toFloat32 } from '@dit/checkpoint'
import { sincosPositions, tokenGrid } from '@dit/tokenizer'
import { configForDiffusers } from './diffusers-config.js'
import { recipesForDiffusers } from './diffusers-names.js'
import type { ModelWeights } from './model-weights.js'
import { readRecipe, specOf } from './recipe.js'

/** Weights as diffusers names them. */
export interface DiffusersWeights extends TensorFile {
  /** What `config.json` beside them must say. */
  readonly diffusersConfig: Readonly<Record<string, unknown>>
}

/** How far a stored position table may be from the computed one: that of an EMA drifts by rounding, that of half weights more. */
const POSITION_TOLERANCE = 2 ** -8

/**
 * Sees weights under the names of diffusers' `DiTTransformer2DModel`: attention in three parts, the embedders once for every block,
 * no position table, since diffusers computes it.
 *
 * diffusers has no name for `timestepFrequencyShift` 0, the published one: it always computes with 1, which changes its outputs a
 * little. Weights that are read back here keep what they were, where their file carries `descriptionMetadata`.
 *
 * @throws RangeError when diffusers' class cannot be this model, or the position table is another than the computed one
 */
export async function toDiffusers(weights: TensorFile & Pick<ModelWeights, 'config'>): Promise<DiffusersWeights> {
  const { config } = weights
  const diffusersConfig = configForDiffusers(config)
  const table = sincosPositions(config.hiddenSize, tokenGrid(config.inputSize, config.patchSize))
  const stored = await weights.float32('pos_embed')
  const drift = stored.reduce((most, value, i) => Math.max(most, Math.abs(value - table[i])), 0)
  if (!(drift <= POSITION_TOLERANCE)) {
    throw new RangeError(
      `toDiffusers: pos_embed must be the sine-cosine table, which diffusers computes (it is off by ${drift})`,
    )
  }
  const recipes = recipesForDiffusers(config)
  const entries = new Map<string, StoredSpec>()
  for (const [name, recipe] of recipes) entries.set(name, specOf(recipe, weights.entries))
  const tensor = async (name: string) => {
    const recipe = recipes.get(name)
    if (recipe === undefined) throw new RangeError(`toDiffusers: there is no parameter ${JSON.stringify(name)}`)
    return readRecipe(recipe, weights)
  }
  return { entries, tensor, float32: async (name) => toFloat32(await tensor(name)), diffusersConfig }
}
