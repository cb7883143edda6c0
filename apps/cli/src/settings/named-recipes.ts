import { paperRecipe, picturesRecipe, smallRecipe, type TrainRecipe } from '@dit/train-ddp'
import { DEMO_MODEL, DEMO_RECIPE } from '../run/demo-recipe.js'
import type { PROCESS_SETTINGS } from './process-settings.js'
import type { FlagsOf } from './setting.js'
import type { MODEL_SETTINGS, TrainFlags } from './train-settings.js'

type ModelFlags = FlagsOf<typeof MODEL_SETTINGS>

/** What `--recipe` names: how a network learns, and what stands for those options of the process and the model that are absent. */
export interface NamedRecipe {
  readonly training: TrainRecipe
  readonly process: FlagsOf<typeof PROCESS_SETTINGS>
  /** The network for pictures, or latents, of a side. */
  readonly model: (size: number) => ModelFlags
  /** For the user: what it is made for. */
  readonly about: string
  /** For the user: what to expect when; measured. */
  readonly expect?: string
}

/** Predicts the picture instead of the noise, which large patches and narrow networks cannot: docs/choosing.md. */
const PREDICTS_X0 = { predict: 'x0', schedule: 'squaredcos_cap_v2', variance: 'fixedSmall' } as const

const SMALL_NETWORK: ModelFlags = { hidden: 128, depth: 4, heads: 4, patch: 4 }

/** Recipes by name. */
export const NAMED_RECIPES = {
  pictures: {
    training: picturesRecipe,
    process: PREDICTS_X0,
    model: (size) => ({ hidden: 192, depth: 5, heads: 4, patch: patchFor(size) }),
    about: 'small pictures in minutes of a CPU; predicts the picture itself (x0)',
    expect:
      'held-out errors (--val-share) near 0.06 after 500 steps, 0.05 after 1,500 and 0.04 after 4,000 (less for grey pictures), with losses from 0.06 to 0.1; faces and figures are recognised from about 1,000 steps on',
  },
  small: {
    training: smallRecipe,
    process: {},
    model: () => SMALL_NETWORK,
    about: 'some thousand steps on latents; predicts the noise, as the paper does',
  },
  paper: {
    training: paperRecipe,
    process: {},
    model: () => SMALL_NETWORK,
    about: 'the settings of the paper: batch 256 and hundreds of thousands of steps',
  },
  demo: {
    training: DEMO_RECIPE,
    process: PREDICTS_X0,
    model: () => ({
      hidden: DEMO_MODEL.hiddenSize,
      depth: DEMO_MODEL.depth,
      heads: DEMO_MODEL.numHeads,
      patch: DEMO_MODEL.patchSize,
    }),
    about: 'what dit demo trains with: patches of 4, predicts x0',
  },
} as const satisfies Readonly<Record<string, NamedRecipe>>

export type RecipeName = keyof typeof NAMED_RECIPES

/** The recipe of a name, which in a run of another program's making may be none of ours. */
export function recipeNamed(name: string): NamedRecipe | undefined {
  return (NAMED_RECIPES as Readonly<Record<string, NamedRecipe | undefined>>)[name]
}

/** What is trained, as far as it decides the recipe. */
export type Trained = 'pictures' | 'latents' | 'module'

/** The recipe that flags name, or that suits what is trained, and why. */
export function chosenRecipe(
  { recipe }: Pick<TrainFlags, 'recipe'>,
  trained: Trained,
): { readonly name: RecipeName; readonly reason: string } {
  if (recipe !== undefined) return { name: recipe, reason: 'as --recipe says' }
  return trained === 'pictures'
    ? { name: 'pictures', reason: 'because it trains on pictures' }
    : { name: 'small', reason: `because ${trained === 'latents' ? 'it trains on latents' : 'the network is your own'}` }
}

/**
 * The options with those of a recipe where they are absent. A process that is described in another way keeps only what is told:
 * another family takes nothing from the recipe, and told betas no schedule.
 *
 * @param size side of the pictures, or latents
 */
export function withRecipe(flags: TrainFlags, name: RecipeName, size: number): TrainFlags {
  const { process, model }: NamedRecipe = NAMED_RECIPES[name]
  const { schedule, ...others } = process
  const hasBetas = flags.betas !== undefined || flags.betaStart !== undefined || flags.betaEnd !== undefined
  const isOther = flags.process !== undefined && flags.process !== (process.process ?? 'gaussian')
  return {
    ...(isOther ? {} : others),
    ...(isOther || hasBetas || schedule === undefined ? {} : { schedule }),
    ...(flags.model === undefined ? model(size) : {}),
    ...Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)),
  }
}

/** Tokens along a side: few, each with much to say, learn fastest while the steps are few. docs/choosing.md compares. */
const TOKENS = 4

/** Sides of patches that are tried: 1 to 8 pixels. */
const PATCHES = Array.from({ length: 8 }, (_, i) => i + 1)

/**
 * The patch for pictures of a side: the smallest that makes at most four tokens along it, or else the largest of at most eight
 * pixels.
 */
export function patchFor(size: number): number {
  const patches = PATCHES.filter((patch) => size % patch === 0)
  return patches.find((patch) => size / patch <= TOKENS) ?? patches.at(-1)!
}
