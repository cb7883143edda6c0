import type { DiTConfig } from '@dit/model'
import { attentionParameters, type Block, mlp, mlpParameters, modulatedNorm, selfAttention } from '@dit/model/blocks'
import { denoiserGraph } from '@dit/onnx'
import { add, concat, gatedResidual, randomNormal, randomStream, reference, slice, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'
import { expectAgreement, config } from './blocks.js'

await useBackend(reference())

// Every part once; each by itself in blocks.whole.test.ts.
test.each<[string, Partial<DiTConfig>]>([
  ['cross-attention and QK layer norm', { block: 'cross-attention', qkNorm: true }],
  [
    'in-context blocks, RMS norm and SwiGLU',
    { block: 'in-context', norm: 'rms', mlp: 'swiglu', rope: true, qkNorm: true },
  ],
  [
    'a modulation that blocks share, without shifts and gates',
    { block: 'adaLN', sharedModulation: true, modulationShift: false },
  ],
  [
    'label tokens, a narrow patch layer and rotary positions',
    { contextTokens: 3, contextStart: 1, patchBottleneck: 3, rope: true },
  ],
  ['the scale of guidance as an input', { guidanceRange: [1, 3] }],
])('a network with %s gives the same output in ONNX Runtime', async (_, change) => {
  await expectAgreement({ ...config, ...change }, [3])
})

test('a network that takes the scale of guidance refuses to be guided in two passes', () => {
  const of: DiTConfig = { ...config, guidanceRange: [1, 3] }
  expect(() => denoiserGraph(of, { guidance: {} })).toThrow(
    'takes the scale of guidance as an input, so leave guidance out',
  )
})

/** Attention and MLP side by side, as in docs/examples/own-block.mjs, told by what a published block is told. */
const parallel: Block = {
  parameters: (of, numTokens) => ({ ...attentionParameters(of, numTokens), ...mlpParameters(of, numTokens) }),
  numScores: (numTokens) => numTokens ** 2,
  apply(x, { siluC, rotation }, param, of, trace) {
    const normed = modulatedNorm(x, { scale: siluC }, of, param, 'norm', 1e-6)
    return gatedResidual(x, siluC, add(selfAttention(normed, rotation, param, of, trace), mlp(normed, param, of)))
  },
}

test('blocks of your own are written as they run', async () => {
  await expectAgreement(config, [1, 3], parallel)
})

test('a network that has as many tokens as stand for the batch is no other', async () => {
  await expectAgreement(
    { ...config, depth: 1, inputSize: [1, 1009], patchSize: 1, hiddenSize: 8, numHeads: 1, rope: true },
    [1],
  )
})

test.each<[string, Block['apply'], string]>([
  [
    'mixes examples',
    (x) => concat([slice(x, 0, 1, x.shape[0] - 1), slice(x, 0, 0, 1)], 0),
    'denoiserGraph: a block must not mix examples: a graph has a forward pass only, example by example',
  ],
  [
    'counts examples',
    (x) => add(x, randomNormal(x.shape, randomStream(0), { backend: x.backend })),
    'denoiserGraph: a block must not make tensors as long as the batch',
  ],
])('refuses a block that %s', (_, apply, text) => {
  expect(() => denoiserGraph(config, { block: { ...parallel, apply } })).toThrow(new RangeError(text))
})
