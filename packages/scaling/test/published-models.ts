import { countedNetwork, type DiTConfig } from '@dit/model'
import type { CountedNetwork } from '../src/index.js'

/** A published model with what is known of it: parameters, multiply-adds in G, and the paper's rounded "M" and "Gflops". */
export interface PublishedModel {
  readonly name: string
  readonly network: CountedNetwork
  readonly total: number
  readonly trainable: number
  readonly paperMillions: number
  readonly multiplyAdds: string
  readonly paperGflops: number
}

const sizes = {
  S: { depth: 12, hiddenSize: 384, numHeads: 6 },
  B: { depth: 12, hiddenSize: 768, numHeads: 12 },
  L: { depth: 24, hiddenSize: 1024, numHeads: 16 },
  XL: { depth: 28, hiddenSize: 1152, numHeads: 16 },
} as const

/** A model of the paper: latents of 4 channels, 1000 classes and a null class, learned variance. */
export function published(size: keyof typeof sizes, patchSize: number, inputSize = 32): CountedNetwork {
  const common = { inChannels: 4, mlpRatio: 4, numClasses: 1000, classDropout: 0.1, learnSigma: true }
  return countedNetwork({ inputSize, patchSize, ...sizes[size], ...common })
}

// Peebles & Xie 2022, table 4 (the last column and the millions); the counts are those of the reference implementation.
const table: [keyof typeof sizes, number, number, number, number, string, number][] = [
  ['S', 8, 33_148_160, 33_142_016, 33, '0.358', 0.36],
  ['S', 4, 32_945_024, 32_920_448, 33, '1.413', 1.41],
  ['S', 2, 32_963_360, 32_865_056, 33, '6.056', 6.06],
  ['B', 8, 130_881_536, 130_869_248, 131, '1.418', 1.42],
  ['B', 4, 130_475_648, 130_426_496, 130, '5.565', 5.56],
  ['B', 2, 130_512_416, 130_315_808, 130, '23.005', 23.01],
  ['L', 8, 458_594_816, 458_578_432, 459, '5.011', 5.01],
  ['L', 4, 458_053_760, 457_988_224, 458, '19.696', 19.7],
  ['L', 2, 458_102_816, 457_840_672, 458, '80.698', 80.71],
  ['XL', 8, 675_683_072, 675_664_640, 676, '7.392', 7.39],
  ['XL', 4, 675_074_432, 675_000_704, 675, '29.044', 29.05],
  ['XL', 2, 675_129_632, 674_834_720, 675, '118.621', 118.64],
]

export const publishedModels: readonly PublishedModel[] = table.map(
  ([size, patchSize, total, trainable, paperMillions, multiplyAdds, paperGflops]) => ({
    name: `${size}/${patchSize}`,
    network: published(size, patchSize),
    total,
    trainable,
    paperMillions,
    multiplyAdds,
    paperGflops,
  }),
)

const TINY: DiTConfig = {
  inputSize: [4, 6],
  patchSize: 2,
  inChannels: 1,
  hiddenSize: 4,
  depth: 1,
  numHeads: 2,
  mlpRatio: 2.7,
  numClasses: 3,
  classDropout: 0,
  learnSigma: false,
}

/** A model small enough to count on paper: 6 tokens of width 4, 1 block, an MLP of 10. */
export const tiny = countedNetwork(TINY)

/** The same with another field. */
export const tinyWith = (change: Partial<DiTConfig>): CountedNetwork => countedNetwork({ ...TINY, ...change })
