import { add, type Backend, matmul, mul, scope, type Tensor, tensor } from '@dit/tensor'
import { rotaryPositions, tokenGrid } from '@dit/tokenizer'
import type { DiTConfig } from '../config.js'

/** What turns queries and keys. */
export interface Rotation {
  /** `[N, 1, headDim]`, by place and channel. */
  readonly cos: Tensor
  readonly sin: Tensor
  /** `[headDim, headDim]`: x times it has (-x[2i + 1], x[2i]) where x has (x[2i], x[2i + 1]). */
  readonly turn: Tensor
}

/** What turns the tokens of a grid, after others that stand at no place. */
export function rotationOf(config: DiTConfig, backend: Backend, numUnplaced: number): Rotation {
  const { hiddenSize, numHeads, inputSize, patchSize } = config
  const width = hiddenSize / numHeads
  const grid = tokenGrid(inputSize, patchSize)
  const { cos, sin } = rotaryPositions(width, grid, { extraTokens: numUnplaced })
  const turn = new Float32Array(width * width)
  for (let channel = 0; channel < width; channel += 2) {
    turn[(channel + 1) * width + channel] = -1
    turn[channel * width + channel + 1] = 1
  }
  const on = (values: Float32Array, shape: readonly number[]) => tensor(values, shape, { backend })
  const shape = [cos.length / width, 1, width]
  return { cos: on(cos, shape), sin: on(sin, shape), turn: on(turn, [width, width]) }
}

/**
 * Queries or keys turned by their places: x cos + (x turn) sin.
 *
 * @param x `[B, N, numHeads, headDim]`
 * @returns the same shape
 */
export function rotate(x: Tensor, { cos, sin, turn }: Rotation): Tensor {
  return scope(() => add(mul(x, cos), mul(matmul(x, turn), sin)))
}
