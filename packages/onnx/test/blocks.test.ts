import type { DiTConfig } from '@dit/model'
import {
  attentionParameters,
  type Block,
  mlp,
  mlpParameters,
  modulatedNorm,
  selfAttention,
  trained,
} from '@dit/model/blocks'
import { denoiserGraph } from '@dit/onnx'
import {
  abs,
  add,
  affine,
  broadcastTo,
  concat,
  cos,
  div,
  exp,
  full,
  gatedResidual,
  gather,
  greater,
  log,
  matmul,
  maximum,
  mean,
  minimum,
  mul,
  randomNormal,
  randomStream,
  reference,
  relu,
  relu6,
  reshape,
  scope,
  sigmoid,
  sin,
  slice,
  softmax,
  sqrt,
  square,
  sub,
  tanh,
  tensor,
  useBackend,
  where,
} from '@dit/tensor'
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

/** Operations that the blocks of @dit/model do not use. */
const others: Block = {
  parameters: () => ({ table: trained([3, 24], 'normal') }),
  numScores: () => 0,
  apply: (x, { siluC }, param) =>
    scope(() => {
      const [B, N, D] = x.shape
      const wide = broadcastTo(reshape(siluC, [B, 1, D]), x.shape)
      const rows = gather(param('table'), tensor(Int32Array.of(2, 0), [2], { backend: x.backend })) // [2, D]
      const filled = full([N, D], 0.5, { backend: x.backend })
      return [
        exp(affine(tanh(x), 0.5)),
        log(affine(square(wide), 1, 1)),
        sqrt(affine(abs(x), 1, 1)),
        sub(sin(x), cos(wide)),
        sub(relu(x), relu6(wide)),
        sub(sigmoid(x), softmax(wide)),
        minimum(x, maximum(wide, filled)),
        div(x, affine(square(wide), 1, 1)),
        where(greater(x, wide), x, filled),
        sub(x, mean(x, [1], { keepDims: true })),
        concat([slice(mul(x, slice(rows, 0, 0, 1)), 2, 1, D - 1), slice(wide, 2, 0, 1)], 2),
        matmul(softmax(matmul(x, x, { transposeB: true })), wide),
      ].reduce((sum, part) => add(sum, affine(part, 0.1)), x)
    }),
}

test('operations that published blocks do not use have operators, too', async () => {
  await expectAgreement(config, [1, 3], others)
})

// With the timestep and the label the second has 1009 as well.
test.each([
  [1009, 'adaLN-Zero'],
  [1007, 'in-context'],
] as const)(
  'a network of %i tokens, by chance as many as stand for the batch, is no other (%s)',
  async (count, block) => {
    const wide = { inputSize: [1, count], patchSize: 1, hiddenSize: 8, numHeads: 1 } as const
    await expectAgreement({ ...config, ...wide, block, depth: 1, rope: true }, [1])
  },
)

test.each<[string, Block['apply'], string]>([
  [
    'mixes examples',
    (x) => concat([slice(x, 0, 1, x.shape[0] - 1), slice(x, 0, 0, 1)], 0),
    'denoiserGraph: a block must not mix examples: it is given any number of them',
  ],
  [
    'draws for each example',
    (x) => add(x, randomNormal(x.shape, randomStream(0), { backend: x.backend })),
    'denoiserGraph: a block must not make tensors as long as the batch',
  ],
  [
    'counts examples',
    (x) => affine(x, 1 / x.shape[0]),
    'denoiserGraph: what a block computes must not depend on the number of examples',
  ],
])('refuses a block that %s', (_, apply, text) => {
  expect(() => denoiserGraph(config, { block: { ...parallel, apply } })).toThrow(new RangeError(text))
})
