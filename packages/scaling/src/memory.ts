import { checkNetwork, type CountedNetwork, type NetworkSizes } from './counted-network.js'
import { countParameters } from './parameters.js'

/** Options of `memoryBytes`. */
export interface MemoryOptions {
  /** Images that run through the model at once. Guided sampling needs two for each one that comes out. Default: 1. */
  readonly batchSize?: number
  /** Bytes of a parameter, a gradient and an activation: 4 for float32, 2 for float16 and bfloat16. Default: 4. */
  readonly dtypeBytes?: number
  /** Whether there is a backward pass. Without it, gradients, optimizer, EMA and stored activations are 0. Default: false. */
  readonly training?: boolean
  /** AdamW keeps two float32 moments of each trainable parameter. Default: `'adamw'`. */
  readonly optimizer?: 'adamw' | 'none'
  /** Whether an exponential moving average of all parameters is kept, in float32. Default: true. */
  readonly ema?: boolean
  /**
   * `'block'` stores the input of each block and computes the rest of it again in the backward pass; a number does so for the
   * first so many blocks. Default: `'none'`.
   */
  readonly recompute?: 'none' | 'block' | number
  /**
   * Whether attention weights, `numHeads N^2` of them, are held in memory: TensorFlow.js does, the kernels of dit do not. Default:
   * false.
   */
  readonly storesAttention?: boolean
}

/** Bytes by what they hold. */
export interface MemoryEstimate {
  readonly parameters: number
  readonly gradients: number
  readonly optimizer: number
  readonly ema: number
  /** An estimate, unlike the rest. */
  readonly activations: number
  readonly total: number
}

/**
 * Memory of a training step, or of a forward pass, in bytes.
 *
 * Parameters, gradients, moments and EMA are exact counts. Activations are an estimate: `batchSize dtypeBytes` times these
 * numbers of elements, with `A = numHeads N^2`, or `numHeads N` where attention is not stored:
 *
 *   saved in a block   = 10 N D + 2 N M + A + 4 N + 6 D + savedBeside
 *   saved around them  = inputs + outputs + 2 N D + 2 N + 6 D
 *   backward           = N D + max(N M, 3 N D, A)
 *   training           = depth saved + around + backward              recompute: 'none'
 *                      = depth N D + saved + around + backward        recompute: 'block'
 *                      = n N D + max(depth - n, 1) saved + around + backward             recompute: n of depth blocks
 *   forward pass       = inputs + outputs + N D + 6 D + max(4 N D + A, 2 N M)
 *
 * A block saves its input, both norms' statistics, both modulated inputs, q, k and v, attention weights, the attention's and
 * the projection's output, the middle of the residual stream, the MLP's width before and after its activation function, its
 * output, and the six modulation vectors. Not counted: what an engine wastes, copies for layout, the data pipeline, the
 * autoencoder.
 *
 * @throws RangeError for a network that cannot be, or an option out of range
 */
export function memoryBytes(
  network: CountedNetwork,
  {
    batchSize = 1,
    dtypeBytes = 4,
    training = false,
    optimizer = 'adamw',
    ema = true,
    recompute = 'none',
    storesAttention = false,
  }: MemoryOptions = {},
): MemoryEstimate {
  checkNetwork('memoryBytes', network)
  const { total, trainable } = countParameters(network)
  const { sizes } = network
  const depth = network.attention.length
  for (const [name, value] of Object.entries({ batchSize, dtypeBytes })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`memoryBytes: ${name} must be a positive integer (${value})`)
    }
  }
  if (optimizer !== 'adamw' && optimizer !== 'none') {
    throw new RangeError(`memoryBytes: optimizer must be 'adamw' or 'none' (${String(optimizer)})`)
  }
  const isCount = typeof recompute === 'number' && Number.isInteger(recompute) && recompute >= 0
  if (recompute !== 'none' && recompute !== 'block' && !(isCount && recompute <= depth)) {
    throw new RangeError(
      `memoryBytes: recompute must be 'none', 'block' or a number of blocks up to ${depth} (${String(recompute)})`,
    )
  }

  const { numTokens: N, numHeads } = sizes
  const attention = numHeads * (storesAttention ? N ** 2 : N)
  const elements = training ? trainingElements(sizes, depth, attention, recompute) : forwardElements(sizes, attention)
  const bytes = {
    parameters: total * dtypeBytes,
    gradients: training ? trainable * dtypeBytes : 0,
    optimizer: training && optimizer === 'adamw' ? 2 * trainable * 4 : 0,
    ema: training && ema ? total * 4 : 0,
    activations: batchSize * dtypeBytes * elements,
  }
  return { ...bytes, total: Object.values(bytes).reduce((sum, count) => sum + count, 0) }
}

/** Elements alive for one image at the start of the backward pass, and the gradients that flow through a block. */
function trainingElements(
  { numTokens: N, hiddenSize: D, mlpWidth: M, inputs, outputs, savedBeside = 0 }: NetworkSizes,
  depth: number,
  attention: number,
  recompute: 'none' | 'block' | number,
): number {
  const saved = 10 * N * D + 2 * N * M + attention + 4 * N + 6 * D + savedBeside
  const around = inputs + outputs + 2 * N * D + 2 * N + 6 * D
  const backward = N * D + Math.max(N * M, 3 * N * D, attention)
  const again = recompute === 'none' ? 0 : recompute === 'block' ? depth : recompute
  return again * N * D + Math.max(depth - again, 1) * saved + around + backward
}

/** Elements alive for one image in the widest moment of a block: attention, or the MLP. */
function forwardElements(
  { numTokens: N, hiddenSize: D, mlpWidth: M, inputs, outputs }: NetworkSizes,
  attention: number,
): number {
  return inputs + outputs + N * D + 6 * D + Math.max(4 * N * D + attention, 2 * N * M)
}
