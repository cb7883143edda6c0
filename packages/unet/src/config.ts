/** What fixes a U-Net. */
export interface UNetConfig {
  /** Side of the pictures, or [height, width]; halved once between two levels. */
  readonly inputSize: number | readonly [height: number, width: number]
  /** Channels of a picture. */
  readonly inChannels: number
  /** Channels of the first level: C. */
  readonly channels: number
  /** Channels of each level as a multiple of C, from the finest to the coarsest. */
  readonly channelMultipliers: readonly number[]
  /** Residual blocks of a level on the way down; one more on the way up. */
  readonly blocksPerLevel: number
  /** Levels with self-attention after every residual block, counted from 0; the middle always has one. */
  readonly attentionLevels: readonly number[]
  /** Channels of a head of attention. */
  readonly headChannels: number
  /** Channels are normalised in so many groups. */
  readonly numGroups: number
  readonly numClasses: number
  /** Chance that a label is dropped in training, for classifier-free guidance; 0 trains without a null class. */
  readonly classDropout: number
  /** Whether it also predicts a variance. */
  readonly learnSigma: boolean
}

/** What `unetConfig` fills in. */
const DEFAULTS = {
  inChannels: 3,
  channelMultipliers: [1, 2, 2],
  blocksPerLevel: 2,
  headChannels: 32,
  classDropout: 0.1,
  learnSigma: false,
} as const

/** The groups that ADM takes, as long as each has four channels or more. */
const MOST_GROUPS = 32
const LEAST_GROUP = 4

/**
 * A whole configuration from a part of one: three channels, multipliers 1, 2, 2, two blocks a level, attention in the coarsest level,
 * heads of 32 channels, labels dropped one time in ten.
 *
 * @throws RangeError where it cannot be, or has a field that there is not
 */
export function unetConfig(
  given: Pick<UNetConfig, 'inputSize' | 'channels' | 'numClasses'> & Partial<UNetConfig>,
): UNetConfig {
  const { channels, channelMultipliers = DEFAULTS.channelMultipliers } = given
  let numGroups = MOST_GROUPS
  while (numGroups > 1 && (channels % numGroups !== 0 || channels / numGroups < LEAST_GROUP)) numGroups /= 2
  const config = { ...DEFAULTS, attentionLevels: [channelMultipliers.length - 1], numGroups, ...given }
  checkUNet(config)
  const unknown = Object.keys(config).find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) throw new RangeError(`unet: there is no field ${unknown}; there are ${FIELDS.join(', ')}`)
  return config
}

/** Names of all fields. */
const FIELDS = Object.keys({
  inputSize: true,
  inChannels: true,
  channels: true,
  channelMultipliers: true,
  blocksPerLevel: true,
  attentionLevels: true,
  headChannels: true,
  numGroups: true,
  numClasses: true,
  classDropout: true,
  learnSigma: true,
} satisfies Record<keyof UNetConfig, true>)

/** [height, width] of the pictures. */
export function sidesOf({ inputSize }: UNetConfig): readonly [height: number, width: number] {
  return typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
}

/** Row of the label table that stands for no class; null where labels are never dropped. */
export function nullClass({ numClasses, classDropout }: UNetConfig): number | null {
  return classDropout > 0 ? numClasses : null
}

/** @throws RangeError that names the field, what must hold and what came */
export function checkUNet(config: UNetConfig): void {
  const { channels, channelMultipliers, blocksPerLevel, attentionLevels, headChannels, numGroups } = config
  const { inChannels, numClasses, classDropout } = config
  const sides = sidesOf(config)
  const levels = channelMultipliers.length
  if (levels === 0) throw new RangeError('unet: channelMultipliers must name one level or more (got none)')
  const counts = { inChannels, channels, blocksPerLevel, headChannels, numGroups, numClasses }
  for (const [name, count] of Object.entries(counts)) mustBeCount(name, count)
  for (const count of channelMultipliers) mustBeCount('channelMultipliers', count)
  const fold = 2 ** (levels - 1)
  for (const side of sides) {
    mustBeCount('inputSize', side)
    if (side % fold === 0) continue
    throw new RangeError(`unet: inputSize must be a multiple of ${fold}, halved between ${levels} levels (got ${side})`)
  }
  if (channels % 2 !== 0) throw new RangeError(`unet: channels must be even (got ${channels})`)
  if (channels % numGroups !== 0)
    throw new RangeError(`unet: channels ${channels} must split into numGroups ${numGroups} groups`)
  const wrong = attentionLevels.find((level) => !(Number.isInteger(level) && level >= 0 && level < levels))
  if (wrong !== undefined)
    throw new RangeError(`unet: attentionLevels must be levels 0 to ${levels - 1} (got ${wrong})`)
  for (const level of new Set([...attentionLevels, levels - 1])) {
    const width = channels * channelMultipliers[level]
    if (width % headChannels === 0) continue
    throw new RangeError(`unet: the ${width} channels of level ${level} must split into heads of ${headChannels}`)
  }
  if (!(classDropout >= 0 && classDropout < 1))
    throw new RangeError(`unet: classDropout must be 0 or more and below 1 (got ${classDropout})`)
}

function mustBeCount(name: string, count: number): void {
  if (Number.isSafeInteger(count) && count > 0) return
  throw new RangeError(`unet: ${name} must be a positive whole number (got ${count})`)
}
