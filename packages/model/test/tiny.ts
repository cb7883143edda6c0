import { randomNormal, randomStream, type Tensor, tensor } from '@dit/tensor'
import { type DiTConfig, type ForwardInputs, outChannels, parameterShapes } from '../src/index.js'

/** Small enough for central differences. */
export const TINY: DiTConfig = {
  inputSize: 4,
  patchSize: 2,
  inChannels: 2,
  hiddenSize: 8,
  depth: 2,
  numHeads: 2,
  mlpRatio: 2,
  numClasses: 3,
  classDropout: 0.1,
  learnSigma: true,
}

/** Blocks that the published DiT does not have, by what is tested of them. */
export const VARIANTS = {
  'adaLN without gates': { ...TINY, block: 'adaLN' },
  'cross-attention': { ...TINY, block: 'cross-attention', depth: 1 },
  'in-context': { ...TINY, block: 'in-context', depth: 1 },
  rope: { ...TINY, rope: true, depth: 1, inputSize: [4, 6] },
  swiglu: { ...TINY, mlp: 'swiglu', depth: 1 },
  'RMS norm': { ...TINY, norm: 'rms', depth: 1 },
  'QK layer norm': { ...TINY, qkNorm: true, depth: 1 },
  'no shift': { ...TINY, modulationShift: false, depth: 1 },
  'shared modulation': { ...TINY, sharedModulation: true },
  'context tokens and a narrow patch layer': {
    ...TINY,
    contextTokens: 3,
    contextStart: 1,
    patchBottleneck: 3,
    rope: true,
  },
  'in-context with modern parts': { ...TINY, block: 'in-context', depth: 1, norm: 'rms', mlp: 'swiglu', rope: true },
  everything: {
    ...TINY,
    norm: 'rms',
    mlp: 'swiglu',
    qkNorm: true,
    rope: true,
    modulationShift: false,
    sharedModulation: true,
    contextTokens: 1,
  },
} as const satisfies Readonly<Record<string, DiTConfig>>

/** Parameters without zeros, so that every path through the network counts. */
export function randomParams(config: DiTConfig): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(parameterShapes(config)).map(([name, shape]) => [
      name,
      randomNormal(shape, randomStream(5, 'test', name)),
    ]),
  )
}

/** A batch for a configuration: `batch` latents, rising timesteps, all labels in turn, the null class last. */
export function randomInputs(config: DiTConfig, batch: number): ForwardInputs {
  const { inputSize, inChannels, numClasses } = config
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  return {
    xt: randomNormal([batch, inChannels, height, width], randomStream(5, 'test', 'xt')),
    timesteps: Int32Array.from({ length: batch }, (_, i) => 7 + 13 * i),
    labels: Int32Array.from({ length: batch }, (_, i) => (numClasses - i + 2 * numClasses + 2) % (numClasses + 1)),
  }
}

/** A constant of the shape of the output, to make a scalar of it. */
export function randomTarget({ xt }: ForwardInputs, config: DiTConfig): Tensor {
  const [B, , H, W] = xt.shape
  return randomNormal([B, outChannels(config), H, W], randomStream(5, 'test', 'target'))
}

/** A copy of a tensor's values with one of them moved. */
export async function moved(x: Tensor, index: number, delta: number): Promise<Tensor> {
  const values = Float64Array.from(await x.data())
  values[index] += delta
  return tensor(values, x.shape)
}
