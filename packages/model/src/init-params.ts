import { normals, type RandomStream, randomStream, uniforms } from '@dit/random'
import { type Backend, currentBackend, type Params, scope, sizeOf, tensor } from '@dit/tensor'
import { sincosPositions, tokenGrid } from '@dit/tokenizer'
import type { Block } from './blocks/block.js'
import type { DiTConfig } from './config.js'
import type { ParameterSpec } from './parameter-spec.js'
import { parameterTable } from './parameter-table.js'

export interface InitOptions {
  /** Non-negative integer. */
  readonly seed?: number
  /** Where the parameters live; the current backend by default. */
  readonly backend?: Backend
  /** Blocks of your own, in place of those that the configuration names. */
  readonly block?: Block | undefined
}

/** Deviation of everything that is looked up or made from timesteps. */
export const EMBEDDING_STD = 0.02

/**
 * Parameters of a fresh model, by `init` of `parameterTable`.
 *
 * - linear layers and the patch embedding: Xavier uniform, bound sqrt(6 / (fan in + fan out)); q, k and v count as one
 *   layer, and a patch is one input vector
 * - label table, timestep embedder, learned positions: normal with deviation 0.02
 * - biases, all modulation layers, the last linear layer: zero, so that the model starts as the zero function and every adaLN-Zero block
 *   as the identity
 * - trained scales of norms: one
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
export function initParams(
  config: DiTConfig,
  { seed = 0, backend = currentBackend(), block }: InitOptions = {},
): Params {
  return scope(() =>
    Object.fromEntries(
      Object.entries(parameterTable(config, block)).map(([name, spec]) => [
        name,
        tensor(initialValues(config, spec, randomStream(seed, 'init', name)), spec.shape, { backend }),
      ]),
    ),
  )
}

function initialValues(config: DiTConfig, { shape, init }: ParameterSpec, stream: RandomStream): Float32Array {
  const size = sizeOf(shape)
  switch (init) {
    case 'sincos':
      return sincosPositions(config.hiddenSize, tokenGrid(config.inputSize, config.patchSize))
    case 'zeros':
      return new Float32Array(size)
    case 'ones':
      return new Float32Array(size).fill(1)
    case 'normal':
      return normals(stream, size).map((draw) => EMBEDDING_STD * draw)
    default: {
      const [fanOut] = shape
      const bound = Math.sqrt(6 / (fanOut + size / fanOut))
      return uniforms(stream, size).map((draw) => bound * (2 * draw - 1))
    }
  }
}
