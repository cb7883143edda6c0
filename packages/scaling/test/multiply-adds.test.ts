import { expect, test } from 'vitest'
import { countMultiplyAdds } from '../src/index.js'
import { published, publishedModels, tiny, tinyWith } from './published-models.js'

test.each(publishedModels)('$name costs what the paper prints', ({ network, multiplyAdds, paperGflops }) => {
  const count = countMultiplyAdds(network)
  expect((count.multiplyAdds / 1e9).toFixed(3)).toBe(multiplyAdds)
  // The paper counts some elementwise operations too; which ones it does not say.
  expect(Math.abs(count.multiplyAdds / 1e9 - paperGflops)).toBeLessThan(0.02)
})

test('XL/2 at 512 pixels', () => {
  expect((countMultiplyAdds(published('XL', 2, 64)).multiplyAdds / 1e9).toFixed(2)).toBe('524.54')
})

test('a tiny model counted on paper', () => {
  const { groups, block } = countMultiplyAdds(tiny)
  expect(block).toEqual({ qkv: 288, scores: 144, values: 144, proj: 96, mlp: 480, modulation: 96 })
  expect(groups).toEqual({ patchEmbedding: 96, timestep: 1040, blocks: 1248, final: 32 + 96 })
})

test('a multiply-add is two operations, and a training step three forward passes', () => {
  const { multiplyAdds, flops, trainingMultiplyAdds, trainingFlops } = countMultiplyAdds(tiny)
  expect([multiplyAdds, flops, trainingMultiplyAdds, trainingFlops]).toEqual([2512, 5024, 7536, 15072])
})

test('the parts add up to the whole', () => {
  const { multiplyAdds, groups, block } = countMultiplyAdds(published('XL', 2))
  expect(Object.values(groups).reduce((a, b) => a + b)).toBe(multiplyAdds)
  expect(28 * Object.values(block).reduce((a, b) => a + b)).toBe(groups.blocks)
})

test('four times the tokens cost sixteen times the attention products and four times the others', () => {
  const small = countMultiplyAdds(published('S', 4)).block
  const large = countMultiplyAdds(published('S', 2)).block
  expect(large).toEqual({
    qkv: 4 * small.qkv,
    scores: 16 * small.scores,
    values: 16 * small.values,
    proj: 4 * small.proj,
    mlp: 4 * small.mlp,
    modulation: small.modulation,
  })
})

test('a timestep table costs nothing', () => {
  const { groups } = countMultiplyAdds(tinyWith({ timestepEmbedding: 'table', numTimesteps: 10 }))
  expect(groups).toEqual({ ...countMultiplyAdds(tiny).groups, timestep: 0 })
})

test('errors name the function', () => {
  const wrong = { ...tiny, parameters: { w: { shape: [1.5] } } }
  expect(() => countMultiplyAdds(wrong)).toThrow('countMultiplyAdds: the shape of w must be positive integers ([1.5])')
})
