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
  /** Side of the images it was trained on, and of the tiles of large images. */
  readonly sampleSize: number
  /** Latents are (z - shiftFactor) * scalingFactor, so that their deviation is about 1. */
  readonly scalingFactor: number
  readonly shiftFactor: number
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
  const { blockOutChannels, normNumGroups, scalingFactor, shiftFactor, sampleSize } = config
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
  if (sampleSize % spatialFactor(config) !== 0) {
    throw new RangeError(
      `VaeConfig: sampleSize must be a multiple of ${spatialFactor(config)}, the size of a latent's pixel (got ${sampleSize})`,
    )
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
