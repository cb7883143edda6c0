import { countedNetwork, type DiTConfig } from '@dit/model'
import { memoryBytes } from '@dit/scaling'
import { UsageError } from '../terminal/errors.js'
import { formatBytes, formatCount } from '../terminal/format.js'
import { machineMemory } from '../terminal/machine-memory.js'
import { type OpenModel, type SampledNetwork, sampleShape } from '@dit/pipeline'
import { decoderMemory, spatialFactor } from '@dit/vae'

export interface SampleSize {
  /** Of a network of your own the weights and activations are not counted. */
  readonly model: DiTConfig | SampledNetwork
  /** Pictures in all; at most a batch of them is held. */
  readonly count: number
  /** Pictures at a time. */
  readonly batchSize: number
  readonly isGuided: boolean
  /** A weaker model that guides in place of the null class. */
  readonly guide?: DiTConfig | SampledNetwork
  /** Weights are held in half precision, and one block's at a time in float32. */
  readonly isHalf?: boolean
}

/**
 * Checks that a batch of samples, and the model that makes them, fit into this machine's memory.
 *
 * @throws UsageError with the estimate, where they do not, and what to lower
 */
export function checkSampleMemory(
  { model, count, batchSize, isGuided, guide, isHalf = false }: SampleSize,
  available = machineMemory(),
): void {
  const values = sampleShape(model).reduce((a, b) => a * b)
  // Float32 samples, their pixels, and a copy of these in the file that is written.
  const atOnce = Math.min(batchSize, count)
  const pictures = atOnce * values * (Float32Array.BYTES_PER_ELEMENT + 2)
  const bytesOf = (network: DiTConfig | SampledNetwork, together: number) => {
    if ('inputShape' in network) return 0
    const { total: whole, parameters } = memoryBytes(countedNetwork(network), { batchSize: together })
    return isHalf ? whole - parameters * (0.5 - 1 / network.depth) : whole
  }
  // The null class doubles the batch; a guide is a second network beside the first.
  const total =
    guide === undefined
      ? bytesOf(model, atOnce * (isGuided ? 2 : 1))
      : bytesOf(model, atOnce) + bytesOf(guide, isGuided ? atOnce : 0)
  if (pictures + total <= available) return
  const needs = atOnce === 1 ? '1 picture at a time needs' : `${formatCount(atOnce)} pictures at a time need`
  const advice = atOnce > 1 ? 'lower --batch' : `use ${isHalf ? 'a smaller model' : '--half f16 or a smaller model'}`
  throw new UsageError(
    `${needs} about ${formatBytes(pictures + total)}, but this machine has ${formatBytes(available)}; ${advice}`,
  )
}

/** WebAssembly has 4 GiB in all. */
const WASM_BYTES = 3 * 2 ** 30

/** Whether an autoencoder's pictures must be decoded in tiles, as a whole one takes more than half of this machine's memory. */
export function needsTiles({ autoencoder, network }: OpenModel, engine: string, available = machineMemory()): boolean {
  if (autoencoder === null) return false
  const [, h, w] = network.inputShape
  const factor = spatialFactor(autoencoder.config)
  const limit = engine.endsWith('wasm') ? Math.min(WASM_BYTES, available / 2) : available / 2
  return decoderMemory(autoencoder.config, h * factor, w * factor) > limit
}
