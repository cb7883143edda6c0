import { normals, type RandomStream, randomStream, uniforms } from '@dit/random'
import { type Backend, currentBackend, type Params, scope, type Shape, sizeOf, tensor } from '@dit/tensor'
import { sincosPositions, tokenGrid } from '@dit/tokenizer'
import type { DiTConfig } from './config.js'
import { parameterShapes } from './parameter-shapes.js'

export interface InitOptions {
  /** Non-negative integer. */
  readonly seed?: number
  /** Where the parameters live; the current backend by default. */
  readonly backend?: Backend
}

/** Deviation of everything that is looked up or made from timesteps. */
export const EMBEDDING_STD = 0.02

/**
 * Parameters of a fresh model.
 *
 * - linear layers and the patch embedding: Xavier uniform, bound sqrt(6 / (fan in + fan out)); q, k and v count as one
 *   layer, and a patch is one input vector
 * - label table, timestep embedder, learned positions: normal with deviation 0.02
 * - biases, all modulation layers, the last linear layer: zero, so that every block starts as the identity and the model
 *   as the zero function
 * - sine-cosine positions: their table
 *
 * Every parameter draws from a stream of its own, named after it, on the host and rounded to float32: it is the same
 * on every backend, and does not depend on what else the model holds.
 *
 * @returns by official name; the caller disposes of them
 * @throws RangeError when the configuration or the seed is invalid
 *
 * Peebles & Xie 2022, sections 3.2 (adaLN-Zero) and 4; Glorot & Bengio 2010, eq. 16.
 */
export function initParams(config: DiTConfig, { seed = 0, backend = currentBackend() }: InitOptions = {}): Params {
  return scope(() =>
    Object.fromEntries(
      Object.entries(parameterShapes(config)).map(([name, shape]) => [
        name,
        tensor(initialValues(config, name, shape, randomStream(seed, 'init', name)), shape, { backend }),
      ]),
    ),
  )
}

function initialValues(config: DiTConfig, name: string, shape: Shape, stream: RandomStream): Float32Array {
  const size = sizeOf(shape)
  if (name === 'pos_embed' && config.positions !== 'learned') {
    return sincosPositions(config.hiddenSize, tokenGrid(config.inputSize, config.patchSize))
  }
  if (name.endsWith('.bias') || name.includes('adaLN_modulation') || name === 'final_layer.linear.weight') {
    return new Float32Array(size)
  }
  if (name === 'pos_embed' || name.startsWith('t_embedder') || name.startsWith('y_embedder')) {
    return normals(stream, size).map((draw) => EMBEDDING_STD * draw)
  }
  const [fanOut] = shape
  const bound = Math.sqrt(6 / (fanOut + size / fanOut))
  return uniforms(stream, size).map((draw) => bound * (2 * draw - 1))
}
