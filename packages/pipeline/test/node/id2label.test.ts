import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSafetensors } from '@dit/checkpoint'
import { planSampling } from '@dit/pipeline'
import { openModel, openPipeline } from '@dit/pipeline/node'
import type { Schedule } from '@dit/schedules'
import { dispose } from '@dit/tensor'
import { afterAll, expect, test } from 'vitest'
import { backend, folderOfTest } from '../support/every-form.js'
import { movedParams, tinyNetwork } from '../support/tiny-models.js'

const network = { ...tinyNetwork, numClasses: 4 }
const params = movedParams(network, backend)
afterAll(() => dispose(params))

/** A pipeline's folder as diffusers saves it, without names of its own, and what else its two files say. */
async function pipelineFolder(index: object, config: object = {}, schedule: Schedule = 'linear'): Promise<string> {
  const folder = folderOfTest()
  const transformer = join(folder, 'transformer')
  const dit = await openPipeline(
    { network, params, process: { schedule, varianceType: 'fixedLarge' } as const },
    { backend },
  )
  await dit.save(transformer)
  const own = JSON.parse(readFileSync(join(transformer, 'config.json'), 'utf8')) as object
  writeFileSync(join(transformer, 'config.json'), JSON.stringify({ ...own, ...config }))
  writeFileSync(join(folder, 'model_index.json'), JSON.stringify({ _class_name: 'DiTPipeline', ...index }))
  return folder
}

const labels = async (folder: string, classes: string) => {
  const model = await openModel(folder)
  try {
    return [...(await planSampling(model, { classes })).labels]
  } finally {
    await model.close()
  }
}

test('names of model_index.json, in any order, with synonyms and in any case', async () => {
  const folder = await pipelineFolder({ id2label: { 3: 'mine3', 1: 'Mine1, other one', 0: 'mine0', 2: 'mine2' } })
  expect(await labels(folder, 'mine1')).toEqual([1])
  expect(await labels(folder, 'OTHER ONE, mine3,0')).toEqual([1, 3, 0])
  expect(await labels(folder, 'Mine1, other one')).toEqual([1])
  await expect(labels(folder, 'goldfish')).rejects.toThrow(
    'classes: the model has no class goldfish; the classes are mine0; Mine1, other one; mine2; mine3',
  )
})

test("names of the transformer's folder, before which those of the pipeline go", async () => {
  const config = { id2label: { 0: 'c0', 1: 'c1', 2: 'c2', 3: 'c3' } }
  const own = await pipelineFolder({}, config)
  expect(await labels(own, 'c2')).toEqual([2])
  expect(await labels(join(own, 'transformer'), 'c2')).toEqual([2])
  const pair = await pipelineFolder({}, { _id2label: { 0: 'a, b', 1: 'b', 2: 'c', 3: 'd' } })
  // Those that dit writes: a comma is a part of the name.
  expect(await labels(pair, 'b')).toEqual([1])
  expect(await labels(pair, 'a, b')).toEqual([0])
  const both = await pipelineFolder({ id2label: { 2: 'p2' } }, config)
  expect(await labels(both, 'p2')).toEqual([2])
  await expect(labels(both, 'c2')).rejects.toThrow('the model has no class c2')
})

test('a name that is the number of another class goes before the number, and each class has a name', async () => {
  const folder = await pipelineFolder({ id2label: { 0: '2', 1: '0', 3: 'last' } })
  expect(await labels(folder, '2,0,last,3')).toEqual([0, 1, 3, 3])
  expect(await labels(folder, 'class 2')).toEqual([2])
})

test('names that are not those of the network are refused with their file', async () => {
  const folder = await pipelineFolder({ id2label: { 0: 'a', 4: 'e' } })
  await expect(openModel(folder)).rejects.toThrow(
    /model_index\.json: id2label names a class "4", but the network has the classes 0 to 3$/,
  )
  const list = await pipelineFolder({}, { id2label: ['a', 'b'] })
  await expect(openModel(list)).rejects.toThrow(/config\.json: id2label must be an object from label to name$/)
})

test('names, process and scale of latents survive in the files made of a folder', async () => {
  const id2label = { 0: 'a, first', 1: 'b', 2: 'c', 3: 'b' }
  const folder = await pipelineFolder({ id2label }, {}, 'squaredcos_cap_v2')
  mkdirSync(join(folder, 'scheduler'))
  writeFileSync(
    join(folder, 'scheduler/scheduler_config.json'),
    JSON.stringify({ _class_name: 'DDIMScheduler', beta_schedule: 'squaredcos_cap_v2', prediction_type: 'epsilon' }),
  )
  mkdirSync(join(folder, 'vae'))
  const vae = new URL('../../../../test/fixtures/pipeline/vae/config.json', import.meta.url)
  const config = { ...(JSON.parse(readFileSync(vae, 'utf8')) as object), scaling_factor: 0.3, latent_channels: 3 }
  writeFileSync(join(folder, 'vae/config.json'), JSON.stringify(config))
  const dit = await openPipeline(folder, { backend })
  const file = join(folder, 'made.safetensors')
  await dit.save(file)
  const made = await openModel(file)
  expect(made).toMatchObject({ from: 'model', isProcessKnown: true, assumptions: [] })
  expect(made.description).toEqual(dit.description)
  expect(made.description).toMatchObject({
    classNames: ['a, first', 'b', 'c', 'b'],
    process: { kind: 'gaussian', schedule: 'squaredcos_cap_v2', meanType: 'epsilon' },
    latents: { scale: 0.3, mean: 0 },
  })
  // A name may be one of synonyms still, and two classes of one name are told apart by number.
  expect(await labels(file, 'first')).toEqual([0])
  await expect(labels(file, 'b')).rejects.toThrow('several classes are called b; give the number: 1 (b) or 3 (b)')
  expect(readSafetensors(readFileSync(file)).metadata['dit.classes']).toBe('["a, first","b","c","b"]')
  dit.dispose()
  await made.close()
})

test("ImageNet's names stand for a thousand classes without names only, and are an assumption that no file keeps", async () => {
  const thousand = { ...network, numClasses: 1000 }
  const many = movedParams(thousand, backend)
  const folder = folderOfTest()
  const source = { network: thousand, params: many, process: {} }
  const unnamed = await openPipeline(source, { backend })
  await unnamed.save(join(folder, 'unnamed.pt'))
  expect(await labels(join(folder, 'unnamed.pt'), 'goldfish')).toEqual([1])
  const model = await openModel(join(folder, 'unnamed.pt'))
  expect(model.assumptions).toEqual(['class names of ImageNet, because there are 1,000 classes'])
  expect(model.description.classNames).toBeNull()
  await model.close()
  const own = await openPipeline(
    { ...source, classNames: Array.from({ length: 1000 }, (_, i) => `mine${i}`) },
    { backend },
  )
  for (const name of ['own.pt', 'own.safetensors', 'own']) {
    await own.save(join(folder, name))
    expect(await labels(join(folder, name), 'mine1'), name).toEqual([1])
    await expect(labels(join(folder, name), 'goldfish')).rejects.toThrow(
      'the model has no class goldfish; the classes are mine0',
    )
  }
  dispose(many)
})

test('a scheduler, or a config.json, that contradicts what the weights say is refused', async () => {
  const folder = await pipelineFolder({ id2label: { 0: 'a' } })
  mkdirSync(join(folder, 'scheduler'))
  const scheduler = (fields: object) =>
    writeFileSync(join(folder, 'scheduler/scheduler_config.json'), JSON.stringify(fields))
  scheduler({ _class_name: 'DDIMScheduler', prediction_type: 'sample' })
  await expect(openModel(folder)).rejects.toThrow(
    'it is for a network that predicts "x0", but the weights say that theirs predicts "epsilon"'.slice(3),
  )
  scheduler({ _class_name: 'FlowMatchEulerDiscreteScheduler' })
  await expect(openModel(folder)).rejects.toThrow(
    'is for a flow, but the weights say that they are those of a Gaussian diffusion',
  )
  scheduler({ _class_name: 'DDIMScheduler', beta_start: 0.00085, beta_end: 0.012 })
  await expect(openModel(folder)).rejects.toThrow(
    'has 1000 betas from 0.00085 by 0.006431 in the middle to 0.012, but the weights say that they were trained on 1000 betas from 0.0001',
  )
  scheduler({ _class_name: 'DDIMScheduler' })
  await (await openModel(folder)).close()
  const path = join(folder, 'transformer/config.json')
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>
  const heads = config['num_attention_heads']
  const half = { num_attention_heads: heads * 2, attention_head_dim: config['attention_head_dim'] / 2 }
  writeFileSync(path, JSON.stringify({ ...config, ...half }))
  await expect(openModel(folder)).rejects.toThrow(
    `config.json says numHeads ${heads * 2}, but the metadata of the weights say ${heads}`,
  )
})

test('names in a folder that are not those of the metadata beside them are used, and said', async () => {
  const folder = folderOfTest()
  const classNames = ['a', 'b', 'c', '']
  const dit = await openPipeline({ network, params, process: {}, classNames }, { backend })
  await dit.save(folder)
  const kept = await openModel(folder)
  // An empty name stays one.
  expect(kept).toMatchObject({ notices: [], names: classNames })
  await kept.close()
  const path = join(folder, 'config.json')
  const config = JSON.parse(readFileSync(path, 'utf8')) as object
  writeFileSync(path, JSON.stringify({ ...config, _id2label: { 0: 'a', 1: 'yak', 2: 'c', 3: '' } }))
  const renamed = await openModel(folder)
  expect(renamed.names.slice(0, 3)).toEqual(['a', 'yak', 'c'])
  expect(renamed.notices).toEqual([
    "the folder calls class 1 yak, but the metadata of the weights call it b; the folder's names are used",
  ])
  await renamed.close()
})
