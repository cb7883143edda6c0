import { normals } from '@dit/random'
import { randomNormal, randomStream, type Tensor, tensor } from '@dit/tensor'
import {
  type ConditionInputs,
  conditionInputs,
  type ConditionValues,
  type DiTConfig,
  type ForwardInputs,
  outChannels,
  parameterShapes,
} from '../src/index.js'

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

const CAPTION = { name: 'caption', kind: 'tokens', size: 3, most: 4, dropout: 0.5 } as const

/** Told several things in place of one label. */
export const TOLD: DiTConfig = {
  ...TINY,
  depth: 1,
  numClasses: 0,
  classDropout: 0,
  block: 'cross-attention',
  conditions: [
    { name: 'kind', kind: 'label', classes: 3, dropout: 0.2 },
    CAPTION,
    { name: 'pose', kind: 'vector', size: 2, dropout: 0.1 },
  ],
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
  'label, tokens and vector': TOLD,
  'two lists of tokens, never dropped': {
    ...TOLD,
    conditions: [
      { name: 'first', kind: 'tokens', size: 2, most: 3, dropout: 0 },
      { name: 'second', kind: 'tokens', size: 3, most: 2, dropout: 0 },
    ],
  },
  'conditions in context': { ...TOLD, block: 'in-context', conditions: [TOLD.conditions![0], TOLD.conditions![2]] },
  'conditions through adaLN-Zero': {
    ...TOLD,
    block: 'adaLN-Zero',
    conditions: [TOLD.conditions![2], { name: 'colour', kind: 'label', classes: 2, dropout: 0 }],
  },
  'tokens in context': { ...TOLD, block: 'in-context' },
  'tokens in context with modern parts': {
    ...TOLD,
    block: 'in-context',
    norm: 'rms',
    mlp: 'swiglu',
    qkNorm: true,
    rope: true,
  },
  'tokens and their mean': { ...TOLD, conditions: [{ ...CAPTION, pooled: true }, TOLD.conditions![0]] },
  'the mean of tokens through adaLN-Zero': {
    ...TOLD,
    block: 'adaLN-Zero',
    conditions: [{ ...CAPTION, pooled: true }],
  },
  unconditional: { ...TOLD, block: 'adaLN-Zero', conditions: [] },
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

/** Values of all conditions; of several examples the second has nulls, where there are any. */
export function randomConditions(config: DiTConfig, batch: number): Record<string, ConditionValues> {
  return Object.fromEntries(
    config.conditions!.map((spec) => {
      const isNull = Array.from({ length: batch }, (_, i) => i === 1 && spec.dropout > 0)
      const draws = (count: number) => normals(randomStream(5, 'test', spec.name), count)
      if (spec.kind === 'label') return [spec.name, { data: isNull.map((_, i) => i % spec.classes), isNull }]
      if (spec.kind === 'vector') return [spec.name, { data: draws(batch * spec.size), isNull }]
      const lengths = isNull.map((_, i) => (spec.most - 1 + i) % (spec.most + 1))
      return [spec.name, { data: draws(batch * spec.most * spec.size), lengths, isNull }]
    }),
  )
}

function toldOf(
  config: DiTConfig,
  batch: number,
): { readonly conditions?: ConditionInputs; readonly labels?: Int32Array } {
  const { numClasses, conditions } = config
  if (conditions !== undefined) return { conditions: conditionInputs(config, randomConditions(config, batch), batch) }
  const labels = Int32Array.from({ length: batch }, (_, i) => (numClasses - i + 2 * numClasses + 2) % (numClasses + 1))
  return { labels }
}

/** A batch for a configuration: `batch` latents, rising timesteps, all labels in turn, the null class last; or its conditions. */
export function randomInputs(config: DiTConfig, batch: number): ForwardInputs {
  const { inputSize, inChannels } = config
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  return {
    xt: randomNormal([batch, inChannels, height, width], randomStream(5, 'test', 'xt')),
    timesteps: Int32Array.from({ length: batch }, (_, i) => 7 + 13 * i),
    ...toldOf(config, batch),
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
