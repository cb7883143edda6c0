import type { TensorFile } from '@dit/checkpoint'
import type { DiTConfig } from '../config.js'
import type { About } from './description.js'
import type { ConfigHints } from './infer-config.js'
import type { SavedArguments } from './program.js'

/**
 * Weights of a DiT under the official names, whatever names their file has. The process and the program are null where nothing in the
 * file tells: a bare state dict of SiT has the names and shapes of a DiT's.
 */
export interface ModelWeights extends TensorFile, About {
  /** Whose names the file has: those of the official code, or diffusers'. */
  readonly layout: 'reference' | 'diffusers'
  readonly config: DiTConfig
  /** Whether the file says its configuration, as those do that dit wrote. */
  readonly isDescribed: boolean
  /** What nothing in the file tells about the configuration, and what is taken for it; empty where it is known. */
  readonly assumptions: readonly string[]
}

export interface ReadLayoutOptions {
  /** The configuration, where it is known; else a file that `@dit` wrote says it, or its shapes tell it. */
  readonly config?: DiTConfig
  /** The parsed `config.json` that stands beside diffusers' weights. */
  readonly diffusersConfig?: unknown
  readonly hints?: ConfigHints
  /** What the training script saved beside the weights, from `chooseStateDict`. */
  readonly saved?: SavedArguments
}

/** What a reader of one layout finds, without what the file says of its model. */
export type Undescribed = Omit<ModelWeights, keyof About | 'isDescribed'>

/**
 * Readers that most files do not need, so that pages load them when one does: of diffusers' names, and of files that do not say all of their
 * model, as those of other programs.
 */
export interface LayoutReaders {
  diffusers(file: TensorFile, options: ReadLayoutOptions): Undescribed
  undescribed(file: TensorFile, options: ReadLayoutOptions): Undescribed & Pick<About, 'program' | 'process'>
}
