import { affine, randomNormal, randomStream, reference, reshape, useBackend, zeros } from '@dit/tensor'
import { expect, test } from 'vitest'
import {
  checkConfig,
  type ConditionInputs,
  conditionInputs,
  type ConditionValues,
  countedNetwork,
  type DiTConfig,
  forward,
  initParams,
  parameterShapes,
  unpublishedFields,
} from '../src/index.js'
import { randomConditions, randomInputs, randomParams, TINY, TOLD, VARIANTS } from './tiny.js'

await useBackend(reference())
const CONDITIONS = TOLD.conditions!

async function outputOf(config: DiTConfig, change: Record<string, Partial<ConditionValues>> = {}, batch = 2) {
  const values = randomConditions(config, batch)
  for (const [name, part] of Object.entries(change)) values[name] = { ...values[name], ...part }
  const { xt, timesteps } = randomInputs(config, batch)
  const conditions = conditionInputs(config, values, batch)
  return Array.from(await forward(config, randomParams(config), { xt, timesteps, conditions }).data())
}

test('has a table, layers and nulls in the place of the table of labels', () => {
  const shapes = Object.entries(parameterShapes(TOLD)).filter(([name]) => name.startsWith('y_embedder'))
  expect(shapes).toEqual([
    ['y_embedder.kind.embedding_table.weight', [4, 8]],
    ['y_embedder.caption.proj.weight', [8, 3]],
    ['y_embedder.caption.proj.bias', [8]],
    ['y_embedder.caption.null', [1, 8]],
    ['y_embedder.pose.mlp.0.weight', [8, 2]],
    ['y_embedder.pose.mlp.0.bias', [8]],
    ['y_embedder.pose.mlp.2.weight', [8, 8]],
    ['y_embedder.pose.mlp.2.bias', [8]],
    ['y_embedder.pose.null', [1, 8]],
  ])
  const without = Object.keys(parameterShapes(VARIANTS.unconditional)).filter((name) => name.startsWith('y_embedder'))
  expect(without).toEqual([])
  const [label] = Object.keys(parameterShapes({ ...TOLD, conditions: [{ ...CONDITIONS[0], dropout: 0 }] })).filter(
    (name) => name.startsWith('y_embedder'),
  )
  expect(label).toBe('y_embedder.kind.embedding_table.weight')
})

test('begins with layers within the bounds of their fans, and small nulls', async () => {
  const params = initParams({ ...TOLD, hiddenSize: 64 }, { seed: 1 })
  const of = async (name: string) => Array.from(await params[`y_embedder.${name}`].data())
  const bound = Math.sqrt(6 / (64 + 3))
  const proj = (await of('caption.proj.weight')).map(Math.abs)
  expect(Math.max(...proj)).toBeLessThanOrEqual(bound)
  expect(Math.max(...proj)).toBeGreaterThan(0.9 * bound)
  const nothing = await of('caption.null')
  const deviation = Math.sqrt(nothing.reduce((sum, x) => sum + x * x, 0) / 64)
  expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(0.5) // 64 draws: standard error 0.09
  expect(new Set(await of('pose.mlp.2.bias'))).toEqual(new Set([0]))
})

test('a label among conditions is the label of a network that has only it, to the bit', async () => {
  const conditions = [{ name: 'kind', kind: 'label', classes: 3, dropout: 0.1 }] as const
  for (const block of ['adaLN-Zero', 'cross-attention', 'in-context'] as const) {
    const config: DiTConfig = { ...TINY, block, numClasses: 0, classDropout: 0, conditions }
    const { xt, timesteps } = randomInputs(TINY, 2)
    const { 'y_embedder.embedding_table.weight': table, ...rest } = randomParams({ ...TINY, block })
    const told = conditionInputs(config, { kind: { data: [2, 0], isNull: [false, true] } }, 2)
    const params = { ...rest, 'y_embedder.kind.embedding_table.weight': table }
    const got = await forward(config, params, { xt, timesteps, conditions: told }).data()
    const want = await forward(
      { ...TINY, block },
      { ...rest, 'y_embedder.embedding_table.weight': table },
      { xt, timesteps, labels: [2, 3] },
    ).data()
    expect(got).toEqual(want)
  }
})

test('every condition counts, and what stands for a dropped one does not', async () => {
  const base = await outputOf(TOLD)
  const half = base.length / 2 // of the first example; all conditions of the second are dropped
  for (const name of ['kind', 'caption', 'pose']) {
    const { data } = randomConditions(TOLD, 2)[name]
    const changed = Array.from(data, (value) => (name === 'kind' ? (value + 1) % 3 : value + 1))
    const got = await outputOf(TOLD, { [name]: { data: changed } })
    expect(got.slice(0, half), name).not.toEqual(base.slice(0, half))
    expect(got.slice(half), name).toEqual(base.slice(half))
  }
})

const READING_TOKENS = [
  ['cross-attention', TOLD],
  ['in context', VARIANTS['tokens in context']],
  ['in context with modern parts', VARIANTS['tokens in context with modern parts']],
  ['with their mean', VARIANTS['tokens and their mean']],
  ['their mean alone', VARIANTS['the mean of tokens through adaLN-Zero']],
] as const satisfies readonly (readonly [string, DiTConfig])[]

test.each(READING_TOKENS)('padding changes nothing, and neither does more of it (%s)', async (_, config: DiTConfig) => {
  const { data } = randomConditions(config, 2).caption
  const isNull = [false, false]
  const base = await outputOf(config, { caption: { lengths: [2, 1], isNull } })
  const size = 3
  const isPadding = (i: number) => Math.floor(i / size) % 4 >= [2, 1][Math.floor(i / (4 * size))]
  const other = Array.from(data, (value, i) => (isPadding(i) ? 1e6 : value))
  expect(await outputOf(config, { caption: { data: other, lengths: [2, 1], isNull } })).toEqual(base)
  const shorter = Array.from(data).filter((_, i) => Math.floor(i / size) % 4 < 2)
  const got = await outputOf(config, { caption: { data: shorter, lengths: [2, 1], isNull } })
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(base[i], 12) // sums in another order
})

test.each(READING_TOKENS)('dropped tokens are one token, the null (%s)', async (_, config: DiTConfig) => {
  const { xt, timesteps } = randomInputs(config, 1)
  const params = randomParams(config)
  // Whatever is embedded is then the null.
  const nothing = {
    ...params,
    'y_embedder.caption.proj.weight': zeros([8, 3]),
    'y_embedder.caption.proj.bias': reshape(params['y_embedder.caption.null'], [8]),
  }
  const told = (part: Partial<ConditionValues>) => {
    const values = randomConditions(config, 1)
    return conditionInputs(config, { ...values, caption: { ...values.caption, ...part } }, 1)
  }
  const run = async (conditions: ConditionInputs) =>
    Array.from(await forward(config, nothing, { xt, timesteps, conditions }).data())
  const dropped = await run(told({ isNull: [true], lengths: [3] }))
  expect(dropped).toEqual(await run(told({ isNull: [false], lengths: [1] })))
  expect(dropped).not.toEqual(await run(told({ isNull: [false], lengths: [0] })))
})

test('the mean is that of the embedded tokens that count, and is added to the conditioning vector', async () => {
  const config = VARIANTS['the mean of tokens through adaLN-Zero']
  const params = randomParams(config)
  const { xt, timesteps } = randomInputs(config, 2)
  const data = [1, 0, 0, 0, 2, 0, 9, 9, 9, 0, 0, 4, 9, 9, 9, 9, 9, 9]
  const conditions = conditionInputs(config, { caption: { data, lengths: [2, 0] } }, 2)
  const seen: Record<string, number[]> = {}
  const reads: Promise<void>[] = []
  forward(
    config,
    params,
    { xt, timesteps, conditions },
    {
      trace: (name, value) => {
        if (name === 't_emb' || name === 'c')
          reads.push(value.data().then((data) => void (seen[name] = Array.from(data))))
      },
    },
  )
  await Promise.all(reads)
  const [weight, bias] = await Promise.all(
    ['weight', 'bias'].map((of) => params[`y_embedder.caption.proj.${of}`].data()),
  )
  for (let d = 0; d < 8; d++) {
    const mean = bias[d] + (weight[3 * d] + 2 * weight[3 * d + 1]) / 2
    expect(seen['c'][d] - seen['t_emb'][d]).toBeCloseTo(mean, 12)
    expect(seen['c'][8 + d]).toBe(seen['t_emb'][8 + d]) // of no tokens it is 0
  }
})

test('tokens in context are so many tokens more', () => {
  const { parameters, attention, sizes } = countedNetwork(VARIANTS['tokens in context'])
  expect(parameters['blocks.0.attn.qkv.weight'].uses).toBe(4 + 7) // timestep, label, vector and four tokens
  expect(attention[0].scores).toBe(11 ** 2 * 8)
  expect(sizes.numTokens).toBe(11)
  const pooled = countedNetwork(VARIANTS['tokens and their mean'])
  expect(pooled.parameters['blocks.0.cross_attn.kv.weight'].uses).toBe(7) // timestep, four tokens, their mean and a label
  expect(parameterShapes(VARIANTS['the mean of tokens through adaLN-Zero'])).toMatchObject({
    'y_embedder.caption.proj.weight': [8, 3],
    'y_embedder.caption.null': [1, 8],
  })
})

test('an empty caption is not the null', async () => {
  const empty = await outputOf(TOLD, { caption: { lengths: [0, 0], isNull: [false, false] } })
  expect(empty).not.toEqual(await outputOf(TOLD, { caption: { lengths: [0, 0], isNull: [true, true] } }))
})

test('counts keys and layers of conditions', () => {
  const { parameters, attention } = countedNetwork(TOLD)
  expect(parameters['y_embedder.caption.proj.weight'].uses).toBe(4)
  expect(parameters['blocks.0.cross_attn.kv.weight'].uses).toBe(7) // timestep, label, vector and four tokens
  expect(attention[0].scores).toBe((4 ** 2 + 7 * 4) * 8)
})

test('says which field is not published', () => {
  expect(unpublishedFields(VARIANTS.unconditional)).toEqual(['conditions'])
})

const RULE =
  'conditions must have names of their own, dropout 0..1, a kind with its sizes, and tokens the block cross-attention or in-context, or pooled'

test.each<[unknown, string]>([
  ['caption', 'conditions must be a list (got "caption")'],
  [[null], `${RULE} (got null)`],
  [[CONDITIONS[0], CONDITIONS[0]], `${RULE} (got {"name":"kind","kind":"label","classes":3,"dropout":0.2})`],
  ...[
    { ...CONDITIONS[0], name: 'a b' },
    { ...CONDITIONS[0], name: 'x0' },
    { ...CONDITIONS[0], name: 7 },
    { name: 'a', kind: 'sound', dropout: 0 },
    { name: 'a', dropout: 0 },
    { ...CONDITIONS[0], dropout: 2 },
    { ...CONDITIONS[0], dropout: '0' },
    { ...CONDITIONS[0], classes: 0 },
    { ...CONDITIONS[0], most: 4 },
    { ...CONDITIONS[1], most: 1.5 },
    { ...CONDITIONS[1], most: null },
    { name: 'a', kind: 'tokens', size: 3, dropout: 0 },
    { ...CONDITIONS[1], pooled: 1 },
    { ...CONDITIONS[1], pooled: null },
    { ...CONDITIONS[0], pooled: false },
    { ...CONDITIONS[2], pooled: true },
  ].map((spec): [unknown, string] => [[spec], `${RULE} (got ${JSON.stringify(spec)})`]),
])('rejects the conditions %j', (conditions, text) => {
  const config = { ...TOLD, conditions } as DiTConfig
  expect(() => checkConfig(config)).toThrow(new RangeError(`DiTConfig: ${text}`))
})

test('rejects fields that do not fit conditions', () => {
  const rejects = (change: Partial<DiTConfig>, text: string) =>
    expect(() => checkConfig({ ...TOLD, ...change })).toThrow(new RangeError(`DiTConfig: ${text}`))
  const zeros = 'numClasses, classDropout and contextTokens must be 0 beside conditions'
  rejects({ numClasses: 3 }, `${zeros} (got [3,0,0])`)
  rejects({ classDropout: 0.1 }, `${zeros} (got [0,0.1,0])`)
  rejects({ block: 'adaLN', contextTokens: 1 }, `${zeros} (got [0,0,1])`)
  rejects({ block: 'adaLN' }, `${RULE} (got ${JSON.stringify(CONDITIONS[1])})`)
  const unread = { ...CONDITIONS[1], pooled: false }
  rejects({ block: 'adaLN', conditions: [unread] }, `${RULE} (got ${JSON.stringify(unread)})`)
})

test.each<[string, Record<string, Partial<ConditionValues> | undefined>, string]>([
  ['a condition that is missing', { pose: undefined }, 'pose is missing'],
  ['one that is not known', { size: { data: [1] } }, 'there is no condition size (there are: kind, caption, pose)'],
  ['a class that there is not', { kind: { data: [0, 3] } }, 'kind must be classes in 0..2 (number 1 is 3)'],
  [
    'a vector of another size',
    { pose: { data: [1, 2, 3] } },
    'pose must be 2 examples of 2 numbers (got 3 numbers, 1.5 each)',
  ],
  [
    'more tokens than most',
    { caption: { data: new Float32Array(30) } },
    'caption must be 2 examples of 1 to 4 tokens of 3 numbers (got 30 numbers, 5 tokens)',
  ],
  [
    'lengths above M',
    { caption: { lengths: [5, 0] } },
    'caption must have lengths in 0..4, its tokens (length 0 is 5)',
  ],
  ['no lengths', { caption: { lengths: undefined } }, 'caption must have 2 lengths, one for each example (got none)'],
  ['lengths of a vector', { pose: { lengths: [1, 1] } }, 'pose is a vector, which has no lengths'],
  ['a value that is not finite', { pose: { data: [1, 2, NaN, 4] } }, 'pose must be finite (number 2 is NaN)'],
  ['too few flags', { pose: { isNull: [true] } }, 'pose must have 2 entries of isNull, one for each example (got 1)'],
])('rejects %s', (_, change, text) => {
  const values: Record<string, ConditionValues> = randomConditions(TOLD, 2)
  for (const [name, part] of Object.entries(change)) {
    if (part === undefined) delete values[name]
    else values[name] = { ...values[name], ...part }
  }
  expect(() => conditionInputs(TOLD, values, 2)).toThrow(new RangeError(`conditionInputs: ${text}`))
})

test('rejects the null of what was never dropped', () => {
  const config: DiTConfig = { ...TOLD, conditions: [{ ...CONDITIONS[2], dropout: 0 }] }
  expect(() => conditionInputs(config, { pose: { data: [1, 2], isNull: [true] } }, 1)).toThrow(
    'pose was never dropped in training (its dropout is 0), so there is no null of it and no guidance by it',
  )
})

test('forward rejects labels where there are conditions, conditions where there are none, and those of another network', () => {
  const { xt, timesteps } = randomInputs(TOLD, 2)
  const conditions = conditionInputs(TOLD, randomConditions(TOLD, 2), 2)
  const run = (config: DiTConfig, inputs: object) => () =>
    forward(config, randomParams(config), { xt, timesteps, ...inputs })
  expect(run(TOLD, { labels: [0, 0] })).toThrow('forward: the network has conditions, not labels')
  expect(run(TOLD, {})).toThrow('forward: conditions must have one entry per sample of xt, 2 (got 0)')
  expect(run(TINY, { labels: [0, 0], conditions })).toThrow('conditionInputs: the inputs must be made for')
  expect(run(TINY, {})).toThrow('forward: labels must have one entry per sample of xt, 2 (got 0)')
  expect(run(TOLD, { conditions: conditionInputs(TOLD, randomConditions(TOLD, 3), 3) })).toThrow(
    'forward: conditions must have one entry per sample of xt, 2 (got 3)',
  )
  expect(run(VARIANTS['conditions in context'], { conditions })).toThrow(
    'conditionInputs: the inputs must be made for the configuration that reads them',
  )
})

test('an unconditional network needs nothing but pictures and times', async () => {
  const config = VARIANTS.unconditional
  const { xt, timesteps } = randomInputs(config, 2)
  const params = randomParams(config)
  const got = await forward(config, params, { xt, timesteps }).data()
  expect(got).toEqual(
    await forward(config, params, { xt, timesteps, conditions: conditionInputs(config, {}, 2) }).data(),
  )
  const other = affine(randomNormal(xt.shape, randomStream(9)), 1)
  expect(await forward(config, params, { xt: other, timesteps }).data()).not.toEqual(got)
})
