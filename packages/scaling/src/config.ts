/**
 * What decides a diffusion transformer's cost. `@dit/model`'s configurations fit as they are; so does any plain object with
 * these fields.
 */
export interface ScalingConfig {
  /** Height and width of the input (latents for a latent model), or the side of a square one. */
  readonly inputSize: number | readonly [height: number, width: number]
  readonly patchSize: number
  readonly inChannels: number
  readonly hiddenSize: number
  readonly depth: number
  readonly numHeads: number
  /** Width of the MLP over `hiddenSize`; the product is rounded down. */
  readonly mlpRatio: number
  readonly numClasses: number
  /** Probability of replacing a label by the null class, which exists only if this is above 0. */
  readonly classDropout: number
  /** Whether the model predicts a variance beside the noise, which doubles its output channels. */
  readonly learnSigma: boolean
  /** A fixed sine-cosine table, stored but not trained, or a trained one. Default: `'sincos'`. */
  readonly positions?: 'sincos' | 'learned'
  /** 256 sinusoidal features through a two-layer MLP, or one trained row for each timestep. Default: `'sinusoidal'`. */
  readonly timestepEmbedding?: 'sinusoidal' | 'table'
  /** Rows of the timestep table; only used, and then needed, with `timestepEmbedding: 'table'`. */
  readonly numTimesteps?: number
}

/** The sizes that the counts are made of, in the letters of their formulas. */
export interface Sizes {
  /** Tokens of an image. */
  readonly N: number
  /** Hidden size. */
  readonly D: number
  /** Width of the MLP. */
  readonly M: number
  readonly depth: number
  readonly numHeads: number
  /** Values in a patch that goes in, and in one that comes out. */
  readonly patchIn: number
  readonly patchOut: number
  /** Rows of the label table. */
  readonly labelRows: number
  /** Rows of the timestep table, or undefined where an MLP takes sinusoidal features. */
  readonly timestepRows: number | undefined
  readonly arePositionsTrained: boolean
}

/** Width of the sinusoidal timestep features. Peebles & Xie 2022 take over the 256 of Dhariwal & Nichol 2021. */
export const timestepFeatures = 256

/**
 * Checks a configuration and works out its sizes; `who` begins the message.
 *
 * @throws RangeError on values that no model can have
 */
export function sizesOf(who: string, config: ScalingConfig): Sizes {
  const { inputSize, patchSize, inChannels, hiddenSize, depth, numHeads, mlpRatio, numClasses, classDropout } = config
  const { positions = 'sincos', timestepEmbedding = 'sinusoidal', numTimesteps } = config
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  const positive = { height, width, patchSize, inChannels, hiddenSize, depth, numHeads, numClasses }
  for (const [name, value] of Object.entries(positive)) requirePositive(who, name, value)
  for (const [name, value] of Object.entries({ height, width })) {
    if (value % patchSize !== 0) {
      throw new RangeError(
        `${who}: ${name} ${value} is not a multiple of patchSize ${patchSize} (inputSize is [${height}, ${width}])`,
      )
    }
  }
  if (hiddenSize % numHeads !== 0) {
    throw new RangeError(`${who}: hiddenSize ${hiddenSize} is not a multiple of numHeads ${numHeads}`)
  }
  const M = Math.floor(hiddenSize * mlpRatio)
  if (!Number.isSafeInteger(M) || M < 1)
    throw new RangeError(`${who}: mlpRatio must give a width of at least 1 (${mlpRatio})`)
  if (!(classDropout >= 0 && classDropout <= 1)) {
    throw new RangeError(`${who}: classDropout must be between 0 and 1 (${classDropout})`)
  }
  if (positions !== 'sincos' && positions !== 'learned') {
    throw new RangeError(`${who}: positions must be 'sincos' or 'learned' (${String(positions)})`)
  }
  if (positions === 'sincos' && hiddenSize % 4 !== 0) {
    throw new RangeError(`${who}: hiddenSize ${hiddenSize} is not a multiple of 4, which positions 'sincos' need`)
  }
  if (timestepEmbedding !== 'sinusoidal' && timestepEmbedding !== 'table') {
    throw new RangeError(`${who}: timestepEmbedding must be 'sinusoidal' or 'table' (${String(timestepEmbedding)})`)
  }
  if (timestepEmbedding === 'table') requirePositive(who, 'numTimesteps', numTimesteps)

  return {
    N: (height / patchSize) * (width / patchSize),
    D: hiddenSize,
    M,
    depth,
    numHeads,
    patchIn: inChannels * patchSize ** 2,
    patchOut: inChannels * patchSize ** 2 * (config.learnSigma ? 2 : 1),
    labelRows: numClasses + (classDropout > 0 ? 1 : 0),
    timestepRows: timestepEmbedding === 'table' ? numTimesteps : undefined,
    arePositionsTrained: positions === 'learned',
  }
}

function requirePositive(who: string, name: string, value: number | undefined): void {
  if (!Number.isSafeInteger(value) || value! < 1) {
    throw new RangeError(`${who}: ${name} must be a positive integer (${value})`)
  }
}
