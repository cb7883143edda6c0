import type { DiTConfig } from '@dit/model'

/** What is encoded: a training step, a forward pass on the doubled batch of guided sampling, products, attention with its gradient. */
export const CASE_NAMES = ['train-step', 'sample', 'gemm', 'attention'] as const

export type CaseName = (typeof CASE_NAMES)[number]

/** Encodes the work once, from the call to the last submit; the promise waits for the result. */
export type Encode = () => Promise<void>

/** Widths do not matter here, the number of blocks does. */
export const model: DiTConfig = {
  inputSize: 8,
  patchSize: 2,
  inChannels: 4,
  hiddenSize: 96,
  depth: 12,
  numHeads: 6,
  mlpRatio: 4,
  numClasses: 10,
  classDropout: 0.1,
  learnSigma: false,
}

export const B = 4
export const IMAGES = [B, 4, 8, 8]
export const TIMESTEPS = (count: number) => Int32Array.from({ length: count }, (_, i) => i)
export const LABELS = (count: number) => new Int32Array(count)
export const GEMM = { M: 512, K: 384, N: 1536, calls: 16 }
export const QKV = { shape: [4, 64, 96], numHeads: 6 }
