import { initParams } from '@dit/model'
import { reference, tensor } from '@dit/tensor'
import { conditionalDiT, dit, type Network, withPrompts } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { openPipeline } from '../../src/index.js'
import { movedParams, tinyNetwork } from '../support/tiny-models.js'

const backend = reference()
const params = movedParams(tinyNetwork, backend)
const process = { meanType: 'x0', varianceType: 'fixedSmall' } as const
const classNames = ['disc', 'ring', 'square']
/** A DiT under another name. */
const { classes, ...bare } = dit(tinyNetwork)
const own: Network<Int32Array> = { ...bare, classes, spec: { kind: 'mine' } }
const SAMPLE = { steps: 2, sampler: 'ddim', seed: 3 } as const

test.each([{}, { guidance: 2 }, { guidance: 2, guidanceInterval: [0.1, 5] as const }])(
  'a network of your own makes the pictures that it would make as a DiT: %j',
  async (options) => {
    const [asDiT, asOwn] = await Promise.all(
      [tinyNetwork, own].map(async (network) => {
        const pipeline = await openPipeline({ network, params, process, classNames }, { backend })
        return pipeline.pictures({ ...SAMPLE, ...options })
      }),
    )
    expect(asOwn).toEqual(asDiT)
    expect(asOwn.map(({ className }) => className)).toEqual(classNames)
  },
)

test('one that says nothing of classes is told the labels of a batch, and has no guidance; nothing is left behind', async () => {
  const { buffers } = backend.memory()
  const pipeline = await openPipeline({ network: bare as Network, params, process, classNames }, { backend })
  const told = await openPipeline({ network: own as Network, params, process, classNames }, { backend })
  expect(await pipeline.pictures(SAMPLE)).toEqual(await told.pictures(SAMPLE))
  expect(backend.memory().buffers).toBe(buffers)
  await expect(pipeline.pictures({ ...SAMPLE, guidance: 2 })).rejects.toThrow(
    'must be 1, because the model has no null class to guide away from',
  )
  expect(pipeline.description).toMatchObject({ network: null, classNames, pixelRange: [-1, 1] })
})

test('it guides, and is guided by, a network of another kind', async () => {
  const [strong, weak] = await Promise.all(
    [own as Network, tinyNetwork].map((network) => openPipeline({ network, params, process, classNames }, { backend })),
  )
  const guided = await strong.pictures({ ...SAMPLE, guidance: 3, guide: weak })
  // Both are the same network: guidance has nothing to lead away from.
  expect(guided).toEqual(await strong.pictures(SAMPLE))
})

test('a network with conditions is sampled by prompts, and refused without them', async () => {
  const config = {
    ...tinyNetwork,
    numClasses: 0,
    classDropout: 0,
    block: 'cross-attention',
    conditions: [{ name: 'caption', kind: 'tokens', size: 2, most: 3, dropout: 0.1 }],
  } as const
  const params = movedParams(config, backend)
  const prompts = { caption: { data: [1, 2, 3, 4, 5, 6, 7, 8], lengths: [2, 1] } }
  const classNames = ['a red disc', 'a disc']
  const open = (caption: { data: number[]; lengths: number[] }) => {
    const network = withPrompts(config, { caption }, 2) as Network
    return openPipeline({ network, params, process, classNames }, { backend })
  }
  const pipeline = await open(prompts.caption)
  const plain = await pipeline.pictures(SAMPLE)
  expect(plain.map(({ className }) => className)).toEqual(classNames)
  const other = await (await open({ data: [1, 2, 3, 4, 9, -6, 7, 8], lengths: [2, 1] })).pictures(SAMPLE)
  expect(other[0].data).toEqual(plain[0].data)
  expect(other[1].data).not.toEqual(plain[1].data)
  const guided = await pipeline.pictures({ ...SAMPLE, guidance: 3 })
  expect(guided[0].data).not.toEqual(plain[0].data)
  await expect(openPipeline({ network: config, params, process }, { backend })).rejects.toThrow(
    'the model is told conditions; its network needs prompts, as withPrompts() of @dit/train-ddp takes them',
  )
})

test('an unconditional network draws pictures of the one class that its opener names', async () => {
  const config = { ...tinyNetwork, numClasses: 0, classDropout: 0, conditions: [] }
  const params = movedParams(config, backend)
  const network = conditionalDiT(config) as Network
  const pipeline = await openPipeline({ network, params, process, classNames: ['picture'] }, { backend })
  const [{ className }] = await pipeline.pictures(SAMPLE)
  expect(className).toBe('picture')
  await expect(openPipeline({ network, params, process, classNames: [] }, { backend })).rejects.toThrow(
    'classNames are needed: the network of the model has no `classes`',
  )
})

test('what cannot be is refused by name', async () => {
  const open = (source: object, options: object = {}) => {
    const model = { network: own, params, process, classNames, ...source }
    return openPipeline(model, { backend, ...options })
  }
  await expect(open({ process: { kind: 'own' } })).rejects.toThrow('its process is of kind "own", not gaussian or flow')
  await expect(open({ network: bare, classNames: undefined })).rejects.toThrow(
    'classNames are needed: the network of the model has no `classes`',
  )
  await expect(open({ classNames: ['a'] })).rejects.toThrow('must have 3 class names, one for each class (got 1)')
  await expect(open({}, { half: 'f16' })).rejects.toThrow('a network of your own reads parameters in float32 only')
  const { 'final_layer.linear.bias': bias, ...others } = params
  await expect(open({ params: others })).rejects.toThrow(
    `its network needs the parameter final_layer.linear.bias, [${bias.shape.join(', ')}] (got none)`,
  )
  const wide = { ...others, 'final_layer.linear.bias': tensor([1], [1], { backend }) }
  await expect(open({ params: wide })).rejects.toThrow('final_layer.linear.bias, [12] (got [1])')
  const pipeline = await open({})
  await expect(pipeline.save()).rejects.toThrow('`save` works only for DiTs, but its network is your own')
  const captioned = {
    ...bare,
    conditions: ({ arrays }: { arrays: Record<string, { data: unknown }> }) => arrays.texts.data,
  }
  await expect((await open({ network: captioned })).pictures(SAMPLE)).rejects.toThrow(
    /its network is told more than labels \(.*\); give it `classes`/,
  )
})

test('a fresh DiT checks its parameters as before', async () => {
  const { 'final_layer.linear.bias': _, ...others } = initParams(tinyNetwork, { backend })
  await expect(openPipeline({ network: tinyNetwork, params: others, process }, { backend })).rejects.toThrow(
    'final_layer',
  )
})
