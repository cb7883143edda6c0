/** Everything that fixes the shapes of an autoencoder, and what its latents are multiplied by: plain data. */
export interface VaeConfig {
  /** Channels of the images that are encoded; 3 for colour. */
  readonly inChannels: number
  /** Channels of the images that come out of the decoder. */
  readonly outChannels: number
  /** C, channels of the latents. */
  readonly latentChannels: number
  /** Width of each level, from the images inwards. Between two levels height and width are halved. */
  readonly blockOutChannels: readonly number[]
  /** Residual blocks of each level of the encoder; the decoder has one more. */
  readonly layersPerBlock: number
  /** Groups of every group norm; divides all of `blockOutChannels`. */
  readonly normNumGroups: number
  /** Side of the images it was trained on; tiles of large images have about this side. */
  readonly sampleSize: number
  /** Latents are (z - shiftFactor) * scalingFactor, so that their deviation is about 1. */
  readonly scalingFactor: number
  readonly shiftFactor: number
  /** With statistics of each channel latents are (z - latentsMean) * scalingFactor / latentsStd, and shiftFactor is 0. */
  readonly latentsMean?: readonly number[]
  readonly latentsStd?: readonly number[]
  /** Whether a 1x1 convolution follows the encoder, and precedes the decoder. */
  readonly useQuantConv: boolean
  readonly usePostQuantConv: boolean
  /** Whether there is an attention between the two innermost residual blocks. */
  readonly midBlockAddAttention: boolean
}

/**
 * The autoencoder of Stable Diffusion 1 and 2, with which the published Diffusion Transformers work: eight times smaller
 * latents of 4 channels, 84 million parameters. Rombach et al. 2022, section 3.1 (f = 8, KL); the factor is theirs.
 */
export const STABLE_DIFFUSION_VAE: VaeConfig = {
  inChannels: 3,
  outChannels: 3,
  latentChannels: 4,
  blockOutChannels: [128, 256, 512, 512],
  layersPerBlock: 2,
  normNumGroups: 32,
  sampleSize: 256,
  scalingFactor: 0.18215,
  shiftFactor: 0,
  useQuantConv: true,
  usePostQuantConv: true,
  midBlockAddAttention: true,
}

/**
 * Checks a configuration.
 *
 * @throws RangeError naming the first field that is out of range or does not fit another
 */
export function checkVaeConfig(config: VaeConfig): void {
  for (const name of COUNTS) {
    if (!isCount(config[name])) {
      throw new RangeError(`VaeConfig: ${name} must be a positive integer (got ${config[name]})`)
    }
  }
  const { blockOutChannels, normNumGroups, scalingFactor, shiftFactor } = config
  const splits = (channels: number) => isCount(channels) && channels % normNumGroups === 0
  if (!Array.isArray(blockOutChannels) || blockOutChannels.length === 0 || !blockOutChannels.every(splits)) {
    throw new RangeError(
      `VaeConfig: blockOutChannels must be multiples of normNumGroups ${normNumGroups} (got ${JSON.stringify(blockOutChannels)})`,
    )
  }
  if (!(scalingFactor > 0 && scalingFactor < Infinity)) {
    throw new RangeError(`VaeConfig: scalingFactor must be a positive number (got ${scalingFactor})`)
  }
  if (!Number.isFinite(shiftFactor)) throw new RangeError(`VaeConfig: shiftFactor must be finite (got ${shiftFactor})`)
  checkStatistics(config)
}

function checkStatistics({ latentChannels, latentsMean, latentsStd, shiftFactor }: VaeConfig): void {
  for (const [name, values] of Object.entries({ latentsMean, latentsStd })) {
    if (values === undefined) continue
    const isRight = values.length === latentChannels && values.every(Number.isFinite)
    if (isRight && (name === 'latentsMean' || values.every((value) => value > 0))) continue
    throw new RangeError(
      `VaeConfig: ${name} must be ${latentChannels} numbers, one a channel${name === 'latentsStd' ? ', above 0' : ''} (got ${JSON.stringify(values)})`,
    )
  }
  if ((latentsMean === undefined) !== (latentsStd === undefined)) {
    throw new RangeError('VaeConfig: latentsMean and latentsStd must come together')
  }
  if (latentsMean !== undefined && shiftFactor !== 0) {
    throw new RangeError(`VaeConfig: shiftFactor must be 0 beside latentsMean (got ${shiftFactor})`)
  }
}

const COUNTS = ['inChannels', 'outChannels', 'latentChannels', 'layersPerBlock', 'normNumGroups', 'sampleSize'] as const

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0
}

/** How many times larger images are than their latents, in each direction: 8 for Stable Diffusion. */
export function spatialFactor({ blockOutChannels }: VaeConfig): number {
  return 2 ** (blockOutChannels.length - 1)
}
