import { type Params, type Tensor, tensor } from '@dit/tensor'
import { type InputSize, resamplePositions, sincosPositions, tokenGrid } from '@dit/tokenizer'
import { checkParams } from './check-params.js'
import { checkConfig, type DiTConfig } from './config.js'

export interface WithInputSizeOptions {
  /**
   * Where the new patches stand:
   *
   * - `scaled`, for sine-cosine positions and their default: within the range of coordinates seen in training, computed
   *   afresh;
   * - `extended`, for sine-cosine positions: one unit apart as in training, also beyond that range;
   * - `bicubic`, the default of learned positions, or `bilinear`: between the rows of the stored table.
   */
  readonly positions?: 'scaled' | 'extended' | 'bicubic' | 'bilinear'
}

/** A model for another input size. */
export interface ResizedModel {
  readonly config: DiTConfig
  readonly params: Params
}

/**
 * The same weights for pictures of another size or aspect ratio than the model was trained on.
 *
 * @returns `config` with the new `inputSize`, and `params` in which only `pos_embed` is new: the caller disposes of that
 *   one, the others are those of the given `params`
 * @throws RangeError when the size is not a multiple of the patch, or `positions` does not suit the configuration
 *
 * @example
 * const wide = withInputSize(config, params, [32, 64])
 * forward(wide.config, wide.params, { xt, timesteps, labels })
 */
export function withInputSize(
  config: DiTConfig,
  params: Params,
  inputSize: InputSize,
  { positions }: WithInputSizeOptions = {},
): ResizedModel {
  checkParams(config, params)
  const resized = { ...config, inputSize }
  checkConfig(resized)
  return {
    config: resized,
    params: { ...params, pos_embed: newPositions(config, params.pos_embed, resized, positions) },
  }
}

/** The position table of a model at another input size, `[1, N, D]`. */
export function newPositions(
  config: DiTConfig,
  table: Tensor,
  resized: DiTConfig,
  positions: NonNullable<WithInputSizeOptions['positions']> = config.positions === 'learned' ? 'bicubic' : 'scaled',
): Tensor {
  const { hiddenSize: D, patchSize } = config
  const fromGrid = tokenGrid(config.inputSize, patchSize)
  const toGrid = tokenGrid(resized.inputSize, patchSize)
  if (positions === 'bicubic' || positions === 'bilinear') {
    return resamplePositions(table, fromGrid, toGrid, { method: positions }) // [1, N, D]
  }
  if (positions !== 'scaled' && positions !== 'extended') {
    throw new RangeError(
      `withInputSize: positions must be scaled, extended, bicubic or bilinear (got ${String(positions)})`,
    )
  }
  if (config.positions === 'learned') {
    throw new RangeError(`withInputSize: learned positions must be resampled, bicubic or bilinear (got ${positions})`)
  }
  const values = sincosPositions(D, toGrid, positions === 'scaled' ? { trainedGrid: fromGrid } : {})
  return tensor(values, [1, values.length / D, D], { backend: table.backend }) // [1, N, D]
}
