import { countMultiplyAdds, countParameters } from '@dit/scaling'
import { reference, type Shape, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'
import { countedNetwork, ditConfig, type DiTConfig, forward, initParams, parameterTable } from '../src/index.js'
import { randomInputs, TINY, VARIANTS } from './tiny.js'

// Peebles & Xie 2022, figure 2 and table 4 for XL/2 at 256 pixels; the counts are closed forms that reproduce these digits.
test.each<[NonNullable<DiTConfig['block']>, number, number, number, number]>([
  ['in-context', 119.37, 449, 119_353_946_112, 449_160_224],
  ['cross-attention', 137.62, 598, 137_602_842_624, 597_989_408],
  ['adaLN', 118.56, 600, 118_547_103_744, 600_452_384],
  ['adaLN-Zero', 118.64, 675, 118_621_421_568, 674_834_720],
])('%s costs what the paper says', (block, paperGflops, paperMillions, multiplyAdds, parameters) => {
  const network = countedNetwork(ditConfig('DiT-XL/2', { block }))
  const counted = { ...countMultiplyAdds(network), ...countParameters(network) }
  expect([counted.multiplyAdds, counted.trainable]).toEqual([multiplyAdds, parameters])
  expect(Math.abs(counted.multiplyAdds / 1e9 - paperGflops)).toBeLessThan(0.05)
  expect(Math.abs(counted.trainable / 1e6 - paperMillions)).toBeLessThan(0.5)
})

test.each([['TINY', TINY], ...Object.entries(VARIANTS)] as const)(
  'counts the products of a forward pass that an engine makes (%s)',
  async (_, config) => {
    const base = reference()
    let counted = 0
    const backend = await useBackend({
      ...base,
      kernels: {
        ...base.kernels,
        matmul(a, b, transposeA, transposeB, out) {
          if (!isTurn(b.shape, config)) counted += out.shape.reduce((x, y) => x * y) * a.shape[transposeA ? 1 : 2]
          base.kernels.matmul(a, b, transposeA, transposeB, out)
        },
      },
    })
    forward(config, initParams(config, { backend }), randomInputs(config, 1))
    expect(countMultiplyAdds(countedNetwork(config)).multiplyAdds).toBe(counted)
  },
)

/** The matrix that turns queries and keys is no weight: what it does is not counted. */
function isTurn([batch, rows, columns]: Shape, { hiddenSize, numHeads, rope }: DiTConfig): boolean {
  const headDim = hiddenSize / numHeads
  return rope === true && batch === 1 && rows === headDim && columns === headDim
}

test('every parameter says how often it is used', () => {
  const table = parameterTable({ ...TINY, depth: 2, contextTokens: 3, contextStart: 1 })
  const uses = (name: string) => table[name].uses
  expect(['pos_embed', 'in_context_posemb', 'y_embedder.embedding_table.weight'].map(uses)).toEqual([0, 0, 0])
  expect(['x_embedder.proj.weight', 'x_embedder.proj.bias', 't_embedder.mlp.2.weight'].map(uses)).toEqual([4, 0, 1])
  expect(['blocks.0.attn.qkv.weight', 'blocks.1.attn.qkv.weight', 'final_layer.linear.weight'].map(uses)).toEqual([
    4, 7, 4,
  ])
  expect(table['pos_embed'].isTrainable).toBe(false)
})
