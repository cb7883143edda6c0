import type { TensorFile } from '@dit/checkpoint'
import { inferBlocks } from './infer-blocks.js'
import type { InferredConfig } from './infer-config.js'
import type { ModelWeights, ReadLayoutOptions } from './model-weights.js'
import { describeNeeds, recogniseProgram, type RecognisedProgram, shapesOf } from './program.js'
import { readLayout } from './read-layout.js'
import { withoutPrefix } from './unwrap.js'

/** What a file of weights is, whether or not it can be loaded. */
export interface LayoutReport extends RecognisedProgram {
  /** The weights; null where they cannot be loaded. */
  readonly weights: ModelWeights | null
  /** Why not; null where they can. */
  readonly refusal: string | null
  /** The sizes of a network that needs what is not built here, to be shown; else null. */
  readonly sketch: InferredConfig | null
}

/**
 * Tells what a file of weights is: also of networks that are recognised but not built. Reads names and shapes.
 *
 * @returns `refusal` has the text of the error that `readLayout` throws
 *
 * @example
 * reportLayout(file).refusal // "these are JiT's and need noise of scale 2, which is not built yet"
 */
export function reportLayout(file: TensorFile, options: ReadLayoutOptions = {}): LayoutReport {
  const shapes = shapesOf(withoutPrefix(file))
  const { saved = new Map() } = options
  try {
    const weights = readLayout(file, options)
    return { weights, program: weights.program, process: weights.process, needs: [], refusal: null, sketch: null }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const found = attempt(() => recogniseProgram(shapes, saved))
    const isUnbuilt = found !== null && found.needs.length > 0
    return {
      ...(found ?? { program: null, process: null, needs: [] }),
      weights: null,
      refusal: isUnbuilt ? describeNeeds(found) : error.message.replace(/^weights: /, ''),
      sketch: isUnbuilt ? attempt(() => inferBlocks(shapes, { ...found, saved, hints: options.hints ?? {} })) : null,
    }
  }
}

function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}
