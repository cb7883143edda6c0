import { conditionInputs, type ConditionValues, type DiTConfig, forward } from '@dit/model'
import { denoiserGraph } from '@dit/onnx'
import { add, affine, concat, reference, slice, sub, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'
import { expectAgreement, always, batchOf, configOf, integers, LABEL, TOKENS, VECTOR } from './conditions.js'
import { expectSame, type Feeds, movedParams, run } from './runtime.js'

await useBackend(reference())

// Every kind once; each by itself in conditions.whole.test.ts.
test.each<[string, DiTConfig]>([
  ['nothing', configOf([])],
  [
    'two lists of tokens, a label and a vector through cross-attention',
    configOf([TOKENS, LABEL, always({ ...TOKENS, most: 2 }), VECTOR], { block: 'cross-attention' }),
  ],
  ['tokens in context', configOf([LABEL, TOKENS], { block: 'in-context', norm: 'rms', rope: true })],
  ['the mean of tokens', configOf([{ ...TOKENS, pooled: true }, LABEL])],
])('a network that is told %s gives the same output in ONNX Runtime', (_, of) => expectAgreement(of))

test('guidance leads away from the null of all conditions', async () => {
  const of = configOf([LABEL, VECTOR, TOKENS], { block: 'cross-attention' })
  const weights = movedParams(of)
  const { xt, timesteps, values, feeds } = await batchOf(of)
  const scale: Feeds = { guidance_scale: [[], Float32Array.of(2.5)] }
  const got = await run(denoiserGraph(of, { guidance: {} }), weights, { ...feeds, ...scale })

  const isNull = [true, true, true]
  const nothing = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { ...value, isNull }]))
  const told = (of3: Record<string, ConditionValues>) =>
    forward(of, weights, { xt, timesteps, conditions: conditionInputs(of, of3, 3) })
  const [conditional, unconditional] = [told(values), told(nothing)]
  const [towards, from] = [conditional, unconditional].map((x) => slice(x, 1, 0, 3))
  await expectSame(got, concat([add(from, affine(sub(towards, from), 2.5)), slice(conditional, 1, 3, 5)], 1))
})

test('padding counts for nothing, and a length that cannot be makes its example NaN', async () => {
  const of = configOf([TOKENS], { block: 'cross-attention' })
  const weights = movedParams(of)
  const { feeds } = await batchOf(of)
  const graph = denoiserGraph(of)
  const outputOf = async (change: Feeds) => (await run(graph, weights, { ...feeds, ...change })).data as Float32Array
  const known: Feeds = { 'caption.null': [[3], integers([0, 0, 0])], 'caption.length': [[3], integers([1, 2, 3])] }
  const base = await outputOf(known)
  const other = Float32Array.from(feeds['caption'][1] as Float32Array, (value, i) =>
    Math.floor(i / 3) % 4 > Math.floor(i / 12) ? 1e6 : value,
  )
  expect(await outputOf({ ...known, caption: [[3, 4, 3], other] })).toEqual(base)
  const wrong = await outputOf({ ...known, 'caption.length': [[3], integers([-1, 2, 5])] })
  const size = wrong.length / 3
  expect([wrong.slice(0, size), wrong.slice(2 * size)].every((part) => part.every(Number.isNaN))).toBe(true)
  expect(wrong.slice(size, 2 * size)).toEqual(base.slice(size, 2 * size))
})

test('a condition may be called as an operator or a parameter, but not as another input', async () => {
  for (const name of ['Gemm_27', 'pos_embed']) {
    const of = configOf([{ ...VECTOR, name }])
    const { xt, timesteps, values, feeds } = await batchOf(of)
    const weights = movedParams(of)
    const conditions = conditionInputs(of, values, 3)
    await expectSame(await run(denoiserGraph(of), weights, feeds), forward(of, weights, { xt, timesteps, conditions }))
  }
  for (const name of ['xt', 'timesteps', 'guidance_scale', 'output']) {
    expect(() => denoiserGraph(configOf([{ ...VECTOR, name }]))).toThrow(
      new RangeError(`denoiserGraph: a condition must not be called ${name}, which the graph has beside it`),
    )
  }
})

test('guidance by what cannot be dropped is refused', () => {
  const guided = (of: DiTConfig, nullLabel?: number) => () =>
    denoiserGraph(of, { guidance: nullLabel === undefined ? {} : { nullLabel } })
  expect(guided(configOf([LABEL, always(VECTOR)]))).toThrow(
    new RangeError('denoiserGraph: guidance needs a null of poseAlways (its dropout is 0)'),
  )
  expect(guided(configOf([always(LABEL)]))).toThrow('guidance needs a null of kindAlways (its dropout is 0)')
  expect(guided(configOf([]))).toThrow('denoiserGraph: guidance needs a condition (the network has none)')
  expect(guided(configOf([LABEL]), 1)).toThrow(
    'denoiserGraph: nullLabel is for a network that has labels (it has conditions)',
  )
})
