import { type Backend, type HeadRotation, tensor } from '@dit/tensor'
import { rotaryPositions, tokenGrid } from '@dit/tokenizer'
import type { DiTConfig } from '../config.js'

/** What turns the tokens of a grid, after others that stand at no place. */
export function rotationOf(config: DiTConfig, backend: Backend, numUnplaced: number): HeadRotation {
  const { hiddenSize, numHeads, inputSize, patchSize } = config
  const width = hiddenSize / numHeads
  const { cos, sin } = rotaryPositions(width, tokenGrid(inputSize, patchSize), { extraTokens: numUnplaced })
  const on = (values: Float32Array) => tensor(values, [values.length / width, width], { backend })
  return { cos: on(cos), sin: on(sin) }
}
