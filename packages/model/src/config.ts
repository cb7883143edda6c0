import { type InputSize, tokenGrid } from '@dit/tokenizer'
import { BLOCK_FIELDS, checkBlocks } from './check-blocks.js'
import { checkConditions, type ConditionSpec } from './conditions/spec.js'

/**
 * How blocks are told the timestep and the label. Peebles & Xie 2022, section 3.2:
 *
 * - `adaLN-Zero`: scales, shifts and gates of both branches from a vector; every block begins as the identity;
 * - `adaLN`: scales and shifts from a vector, and no gates;
 * - `cross-attention`: a second attention in each block, to the two embeddings as tokens;
 * - `in-context`: the two embeddings as two more tokens among those of the picture.
 */
export type BlockKind = 'adaLN-Zero' | 'adaLN' | 'cross-attention' | 'in-context'

/** Everything that fixes the shapes of a Diffusion Transformer: plain data, to be stored with the weights. */
export interface DiTConfig {
  /** Side of the square latent, or its height and width; multiples of `patchSize`. */
  readonly inputSize: InputSize
  /** P */
  readonly patchSize: number
  /** C, channels of the latent. */
  readonly inChannels: number
  /** D, width of the tokens; a multiple of `numHeads`, and of 4 with sine-cosine positions. */
  readonly hiddenSize: number
  /** Number of blocks. */
  readonly depth: number
  readonly numHeads: number
  /** Width of the hidden layer of the MLPs over `hiddenSize`; the product is rounded down. */
  readonly mlpRatio: number
  /** Classes of the label; 0 where there are `conditions`. */
  readonly numClasses: number
  /** Chance that training drops a label, 0 .. 1. Above 0 the label table has a last row more, the null class. 0 where there are `conditions`. */
  readonly classDropout: number
  /** Whether C more output channels carry the variance. */
  readonly learnSigma: boolean
  /** `sincos`, a fixed table, by default; `learned` trains it. */
  readonly positions?: 'sincos' | 'learned'
  /** `sinusoidal` features through an MLP by default; `table` learns one row per timestep. */
  readonly timestepEmbedding?: 'sinusoidal' | 'table'
  /** Rows of that table, 1000 by default. */
  readonly numTimesteps?: number
  /** Shift of the sinusoidal features' frequencies: 0 by default, as published; 1 in diffusers (see `timestepFeatures`). */
  readonly timestepFrequencyShift?: 0 | 1
  /** Added to the variance in the norm before each MLP: 1e-6 by default, as published; diffusers' default is 1e-5. */
  readonly mlpNormEpsilon?: number
  /** `adaLN-Zero` by default. */
  readonly block?: BlockKind
  /**
   * Norm of tokens: `layer` by default. `rms` divides by the root mean square alone and has a trained scale. Zhang & Sennrich 2019.
   */
  readonly norm?: 'layer' | 'rms'
  /** The hidden layer: GELU by default. `swiglu` multiplies two layers, each two thirds as wide. Shazeer 2020. */
  readonly mlp?: 'gelu' | 'swiglu'
  /** Whether queries and keys are normalised within each head, by `norm` with trained scales (default false). */
  readonly qkNorm?: boolean
  /** Whether queries and keys are turned by their place on the grid (default false); `headDim` is then a multiple of 4. */
  readonly rope?: boolean
  /** Whether adaLN shifts the tokens of blocks as well as scaling them (default true). */
  readonly modulationShift?: boolean
  /** One modulation layer for all blocks, to which each adds a table of its own (default false: a layer for each block). */
  readonly sharedModulation?: boolean
  /** How many copies of the label's embedding, each with a learned place, join the tokens: 0 by default. */
  readonly contextTokens?: number
  /** Number of blocks that these do not pass, 0 by default. */
  readonly contextStart?: number
  /** Width of a layer between a patch and its token; none by default. */
  readonly patchBottleneck?: number
  /** What the network is told in place of its one label; `[]` for nothing. Absent: one of `numClasses` labels. */
  readonly conditions?: readonly ConditionSpec[]
  /**
   * Scales of guidance that the network takes as an input and answers by itself, in one pass: a distilled student's. None by default.
   * Meng et al. 2023, section 3.1.
   */
  readonly guidanceRange?: readonly [low: number, high: number]
}

/**
 * Checks a configuration.
 *
 * @throws RangeError naming the first field that is out of range or does not fit another, or that no configuration has
 * @throws TypeError when a field has the wrong kind
 */
export function checkConfig(config: DiTConfig): void {
  for (const name of Object.keys(config)) {
    if (!FIELDS.has(name)) throw new RangeError(`DiTConfig: there is no field ${name}`)
  }
  for (const name of COUNTS) {
    const value = config[name]
    if (name === 'numClasses' && config.conditions !== undefined) continue
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`DiTConfig: ${name} must be a positive integer (got ${value})`)
    }
  }
  const { hiddenSize, numHeads, mlpRatio, classDropout, learnSigma } = config
  if (hiddenSize % numHeads !== 0) {
    throw new RangeError(`DiTConfig: hiddenSize must be a multiple of numHeads (got ${hiddenSize} and ${numHeads})`)
  }
  if (!(mlpRatio < Infinity && hiddenSize * mlpRatio >= 1)) {
    throw new RangeError(`DiTConfig: mlpRatio must give a hidden layer of at least 1 (got ${mlpRatio})`)
  }
  if (!(classDropout >= 0 && classDropout <= 1)) {
    throw new RangeError(`DiTConfig: classDropout must be in 0..1 (got ${classDropout})`)
  }
  if (typeof learnSigma !== 'boolean') {
    throw new TypeError(`DiTConfig: learnSigma must be true or false (got ${String(learnSigma)})`)
  }
  checkInputSize(config)
  checkVariants(config)
  checkBlocks(config)
  checkConditions(config)
}

const COUNTS = ['patchSize', 'inChannels', 'hiddenSize', 'depth', 'numHeads', 'numClasses'] as const
const FIELDS = new Set<string>([
  ...COUNTS,
  'inputSize',
  'mlpRatio',
  'classDropout',
  'learnSigma',
  'positions',
  'timestepEmbedding',
  'numTimesteps',
  'timestepFrequencyShift',
  'mlpNormEpsilon',
  ...BLOCK_FIELDS,
])

function checkInputSize({ inputSize, patchSize }: DiTConfig): void {
  const isPair = Array.isArray(inputSize) && inputSize.length === 2
  if (typeof inputSize !== 'number' && !isPair) {
    throw new TypeError(`DiTConfig: inputSize must be a side or [height, width] (got ${JSON.stringify(inputSize)})`)
  }
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  for (const extent of [height, width]) {
    if (!Number.isSafeInteger(extent) || extent < 1 || extent % patchSize !== 0) {
      throw new RangeError(
        `DiTConfig: inputSize must be positive multiples of patchSize ${patchSize} (got [${height}, ${width}])`,
      )
    }
  }
}

function checkVariants(config: DiTConfig): void {
  const {
    hiddenSize,
    positions,
    timestepEmbedding,
    numTimesteps,
    timestepFrequencyShift = 0,
    mlpNormEpsilon = 1,
  } = config
  if (![undefined, 'sincos', 'learned'].includes(positions)) {
    throw new RangeError(`DiTConfig: positions must be sincos or learned (got ${positions})`)
  }
  if (positions !== 'learned' && hiddenSize % 4 !== 0) {
    throw new RangeError(`DiTConfig: hiddenSize must be a multiple of 4 with sincos positions (got ${hiddenSize})`)
  }
  if (![undefined, 'sinusoidal', 'table'].includes(timestepEmbedding)) {
    throw new RangeError(`DiTConfig: timestepEmbedding must be sinusoidal or table (got ${timestepEmbedding})`)
  }
  if (numTimesteps !== undefined && (!Number.isSafeInteger(numTimesteps) || numTimesteps < 1)) {
    throw new RangeError(`DiTConfig: numTimesteps must be a positive integer (got ${numTimesteps})`)
  }
  if (timestepFrequencyShift !== 0 && timestepFrequencyShift !== 1) {
    throw new RangeError(`DiTConfig: timestepFrequencyShift must be 0 or 1 (got ${String(timestepFrequencyShift)})`)
  }
  if (!(mlpNormEpsilon > 0 && mlpNormEpsilon <= 1)) {
    throw new RangeError(`DiTConfig: mlpNormEpsilon must be in (0, 1] (got ${mlpNormEpsilon})`)
  }
}

/** Channels of the output: 2 C with a learned variance (noise first), else C. */
export function outChannels({ inChannels, learnSigma }: DiTConfig): number {
  return learnSigma ? 2 * inChannels : inChannels
}

/** Label of the null class, `numClasses`; null for a model without one (`classDropout` 0). */
export function nullLabel({ numClasses, classDropout }: DiTConfig): number | null {
  return classDropout > 0 ? numClasses : null
}

/** N, the number of patches. */
export function numTokens({ inputSize, patchSize }: DiTConfig): number {
  const [rows, columns] = tokenGrid(inputSize, patchSize)
  return rows * columns
}
