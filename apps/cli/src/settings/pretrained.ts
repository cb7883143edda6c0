import { join } from 'node:path'
import { OpenError } from '@dit/pipeline'
import { findPretrained } from '@dit/pipeline/node'
import { garments, heroes, type PretrainedModel } from '@dit/pretrained'

/** The models that come with dit. */
const MODELS: readonly PretrainedModel[] = [heroes, garments]

/** What `dit sample` uses where no model is named. */
export const USUAL_MODEL = `@dit/pretrained/${heroes.name}`

/** Where `@dit/pretrained` is looked for: a project's own first, then the one that came with dit. */
export const pretrainedPlaces = () => [join(process.cwd(), 'package.json'), import.meta.url]

/** Name of the model that comes with dit and that a word may mean: `heroes` for `@dit/pretrained/heroes`; null for others. */
export function pretrainedLike(word: string): string | null {
  const model = MODELS.find(({ name }) => name === word)
  return model === undefined ? null : `@dit/pretrained/${model.name}`
}

/** Whether the weights of the usual model are there. */
export async function hasUsualModel(): Promise<boolean> {
  try {
    return (await findPretrained(USUAL_MODEL, pretrainedPlaces())) !== null
  } catch (error) {
    if (error instanceof OpenError) return false
    throw error
  }
}

/** Flags that choose how a model is sampled, as far as models that come with dit have a say in them. */
interface SamplingFlags {
  readonly sampler?: string
  readonly steps?: number
  readonly guidance?: number | string
  readonly spacing?: string
  readonly image?: string
}

/**
 * Flags with the settings that suit a model of `@dit/pretrained`, where the user gives none. Sampler and steps go together, so one that is
 * given, or a spacing, leaves both to the user.
 *
 * @param source the model, as it was given
 */
export function withPretrainedSampling<Flags extends SamplingFlags>(source: string | undefined, flags: Flags): Flags {
  const model = MODELS.find(({ name }) => source === `@dit/pretrained/${name}`)
  if (model === undefined) return flags
  const { guidance, ...solver } = model.sampling
  const isOwn = [flags.sampler, flags.steps, flags.spacing, flags.image].some((value) => value !== undefined)
  return { guidance, ...(isOwn ? {} : solver), ...flags }
}
