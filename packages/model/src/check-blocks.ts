import type { DiTConfig } from './config.js'
import { hiddenWidth } from './parts/mlp.js'

/** Values that some fields may have. */
const CHOICES = {
  block: ['adaLN-Zero', 'adaLN', 'cross-attention', 'in-context'],
  norm: ['layer', 'rms'],
  mlp: ['gelu', 'swiglu'],
  qkNorm: [false, true],
  rope: [false, true],
  modulationShift: [false, true],
  sharedModulation: [false, true],
} as const

/** What an absent field means: the published DiT. */
export const PUBLISHED_BLOCKS = {
  block: 'adaLN-Zero',
  norm: 'layer',
  mlp: 'gelu',
  qkNorm: false,
  rope: false,
  modulationShift: true,
  sharedModulation: false,
  contextTokens: 0,
  contextStart: 0,
  patchBottleneck: undefined,
  conditions: undefined,
  guidanceRange: undefined,
} as const

type BlockField = keyof typeof PUBLISHED_BLOCKS

/** Fields that change blocks, or what goes into them. */
export const BLOCK_FIELDS = Object.keys(PUBLISHED_BLOCKS) as readonly BlockField[]

/**
 * Names of the fields by which a network is not built as the published ones are, for what knows only those.
 *
 * @example
 * unpublishedFields({ ...config, rope: true, norm: 'layer' }) // ['rope']
 */
export function unpublishedFields(config: DiTConfig): readonly BlockField[] {
  return BLOCK_FIELDS.filter((name) => (config[name] ?? PUBLISHED_BLOCKS[name]) !== PUBLISHED_BLOCKS[name])
}

/** Fields that mean something only where blocks are modulated. */
const OF_MODULATED: readonly BlockField[] = ['modulationShift', 'sharedModulation', 'contextTokens', 'contextStart']

/** Throws a RangeError for the first of these fields that is wrong or does not fit another. */
export function checkBlocks(config: DiTConfig): void {
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = config[name as keyof typeof CHOICES]
    if (value !== undefined && !(choices as readonly unknown[]).includes(value)) {
      throw new RangeError(`DiTConfig: ${name} must be one of ${choices.join(', ')} (got ${String(value)})`)
    }
  }
  const { hiddenSize, numHeads, depth, contextTokens = 0, contextStart = 0, patchBottleneck = 1 } = config
  for (const [name, value, least] of [
    ['contextTokens', contextTokens, 0],
    ['contextStart', contextStart, 0],
    ['patchBottleneck', patchBottleneck, 1],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`DiTConfig: ${name} must be an integer of at least ${least} (got ${value})`)
    }
  }
  const fits = (isSo: boolean, text: string) => {
    if (!isSo) throw new RangeError(`DiTConfig: ${text}`)
  }
  const headDim = hiddenSize / numHeads
  fits(config.rope !== true || headDim % 4 === 0, `rope needs a head width that is a multiple of 4 (got ${headDim})`)
  fits(
    config.mlp !== 'swiglu' || hiddenWidth(config) >= 1,
    `mlpRatio must give SwiGLU a width of at least 1 (got ${config.mlpRatio})`,
  )
  const { guidanceRange, conditions } = config
  const [low, high, ...more] = Object.values(guidanceRange ?? [0, 1])
  fits(
    guidanceRange === undefined || (low >= 0 && high > low && high < Infinity && more.length === 0 && !conditions),
    `guidanceRange must be two scales, 0 or more, the smaller first, of a network of classes (got ${String(guidanceRange)})`,
  )
  fits(contextStart < depth, `contextStart must be below depth ${depth} (got ${contextStart})`)
  if (config.block === 'cross-attention' || config.block === 'in-context') {
    const found = unpublishedFields(config).find((name) => OF_MODULATED.includes(name))
    fits(found === undefined, `${found} is for adaLN and adaLN-Zero blocks (block is ${config.block})`)
  }
}
