import { checkConfig, type DiTConfig } from './config.js'

/** Depth, width and heads of the four sizes. Peebles & Xie 2022, table 1. */
const SIZES = {
  S: { depth: 12, hiddenSize: 384, numHeads: 6 },
  B: { depth: 12, hiddenSize: 768, numHeads: 12 },
  L: { depth: 24, hiddenSize: 1024, numHeads: 16 },
  XL: { depth: 28, hiddenSize: 1152, numHeads: 16 },
} as const

/** `DiT-` size `/` patch size. */
export type DiTName = `DiT-${keyof typeof SIZES}/${2 | 4 | 8}`

/** The twelve models of the paper, small to large, patches 8, 4, 2. */
export const DIT_NAMES: readonly DiTName[] = ['S', 'B', 'L', 'XL'].flatMap((size) =>
  [8, 4, 2].map((patchSize) => `DiT-${size}/${patchSize}` as DiTName),
)

/**
 * Configuration of a named model, by default as published for 256 x 256 ImageNet pictures: latents 32 x 32 x 4, 1000
 * classes, learned variance.
 *
 * @param name      one of `DIT_NAMES`
 * @param overrides fields to change, such as `{ inputSize: 64 }` for 512 x 512
 * @throws RangeError when there is no such model or an override does not fit
 *
 * @example
 * ditConfig('DiT-S/2', { numClasses: 6, inChannels: 3 })
 */
export function ditConfig(name: DiTName | (string & {}), overrides: Partial<DiTConfig> = {}): DiTConfig {
  if (!DIT_NAMES.includes(name as DiTName)) {
    throw new RangeError(`ditConfig: name must be one of ${DIT_NAMES.join(', ')} (got ${name})`)
  }
  const [size, patchSize] = name.slice('DiT-'.length).split('/')
  const config: DiTConfig = {
    inputSize: 32,
    patchSize: Number(patchSize),
    inChannels: 4,
    ...SIZES[size as keyof typeof SIZES],
    mlpRatio: 4,
    numClasses: 1000,
    classDropout: 0.1,
    learnSigma: true,
    ...overrides,
  }
  checkConfig(config)
  return config
}
