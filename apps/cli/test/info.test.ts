import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSafetensors, type StoredArray, writeSafetensors } from '@dit/checkpoint'
import { writeSafetensorsFile } from '@dit/checkpoint/node'
import { descriptionMetadata, ditConfig, inferConfig, parameterShapes } from '@dit/model'
import { openWeights } from '@dit/model/node'
import { sizeOf } from '@dit/tensor'
import { expect, test } from 'vitest'
import type { TensorReport } from '../src/commands/file-report.js'
import { type ModelReport, modelLines, reportModel } from '../src/commands/model-report.js'
import type { RunReport } from '../src/commands/run-report.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { makeTinyRun, tinyModel } from './support/tiny-run.js'

const layouts = join(import.meta.dirname, '../../../packages/model/test/fixtures/layouts')

test('a named model: parameters, and compute labelled both ways', async () => {
  const { code, stdout } = await runDit(['info', 'DiT-XL/2'])
  expect(code).toBe(0)
  expect(stdout).toContain('675,129,632  in total')
  expect(stdout).toContain('674,834,720  trainable')
  expect(stdout).toMatch(/multiply-adds +FLOPs\n +forward +118\.6 G +237\.2 G/)
  expect(stdout).toContain('the "Gflops" of the DiT paper are multiply-adds')
})

test('a network with conditions: their names in place of classes', () => {
  const conditions = [
    { name: 'pose', kind: 'vector', size: 2, dropout: 0.1 },
    { name: 'style', kind: 'label', classes: 3, dropout: 0 },
  ] as const
  const told = { ...ditConfig('DiT-S/8'), numClasses: 0, classDropout: 0 }
  const linesOf = (of: readonly (typeof conditions)[number][]) =>
    modelLines(reportModel({ ...told, conditions: of }, 1)).join('\n')
  expect(linesOf(conditions)).toContain('; conditions, also predicts a variance')
  expect(linesOf(conditions)).toContain('conditions pose and style')
  expect(linesOf([])).toContain('conditions none')
})

test('--json has the same figures for programs, and --tensors every tensor', async () => {
  const { stdout } = await runDit(['info', 'DiT-S/8', '--json', '--tensors', '--batch', '4'])
  const report = JSON.parse(stdout) as ModelReport & { tensors: TensorReport[] }
  expect(report).toMatchObject({ type: 'info', kind: 'model', name: 'DiT-S/8', memory: { batchSize: 4 } })
  const sizes = report.tensors.map(({ shape }) => sizeOf(shape))
  expect(sizes.reduce((a, b) => a + b)).toBe(report.parameters.total)
  expect(report.compute.flops).toBe(2 * report.compute.multiplyAdds)
})

test('a run: what was done, and which checkpoints are whole', async () => {
  const folder = temporaryFolder()
  await makeTinyRun(folder)
  const newest = join(folder, 'checkpoints', 'step-0000004')
  await truncate(join(newest, 'ema.safetensors'), 100)
  const { code, stdout } = await runDit(['info', folder])
  expect(code).toBe(0)
  expect(stdout).toContain('4 of 4 steps')
  expect(stdout).toMatch(/step-0000004 +damaged: ema\.safetensors has 100 bytes instead of \d+/)
  expect(stdout).toMatch(/step-0000002 +complete/)
  expect(stdout).toMatch(/loss +[\d.]+ at step 4; mean of the last 4 steps [\d.]+/)

  const json = JSON.parse((await runDit(['info', folder, '--json'])).stdout) as ModelReport & { run: RunReport }
  expect(json.run).toMatchObject({ steps: 4, done: 4, last: { step: 4 } })
  expect(json.model).toEqual(tinyModel)
})

test('a checkpoint folder and its file: tensors with shapes and types', async () => {
  const folder = temporaryFolder()
  await makeTinyRun(folder)
  const checkpoint = join(folder, 'checkpoints', 'step-0000002')
  const text = (await runDit(['info', checkpoint, '--tensors'])).stdout
  expect(text).toMatch(/blocks\.0\.attn\.qkv\.weight +F64 +\[24, 8\] +192/)
  expect(text).toContain('heads 2')
  const optimizer = await runDit(['info', join(checkpoint, 'optimizer.safetensors')])
  expect(optimizer.stdout).toContain('This is not a DiT')
})

test.each([
  ['DiT-S8', /or model of this name; did you mean DiT-S\/8\?/, 2],
  ['nothing', /there is no file, folder or model of this name; models are called DiT-S\/8 to DiT-XL\/2/, 2],
  ['.', /is neither a run \(it has no config\.json\) nor a checkpoint/, 2],
  ['damaged.safetensors', /damaged\.safetensors: /, 2],
] as const)('%s is one clear line', async (what, message, exitCode) => {
  const cwd = temporaryFolder()
  await writeFile(join(cwd, 'damaged.safetensors'), 'not safetensors')
  const { code, stdout, stderr } = await runDit(['info', what], { cwd })
  expect(stderr).toMatch(message)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect([code, stdout]).toEqual([exitCode, ''])
})

test('a configuration is read off the shapes of its tensors, and nothing else is taken for one', () => {
  const model = ditConfig('DiT-B/4')
  const shapes = new Map(Object.entries(parameterShapes(model)))
  expect(inferConfig(shapes)?.config).toEqual(model)
  const own = { ...tinyModel, numHeads: 1, learnSigma: false }
  expect(inferConfig(new Map(Object.entries(parameterShapes(own))))?.config).toEqual(own)
  const broken = new Map(shapes).set('blocks.3.attn.proj.weight', [768, 767])
  expect(inferConfig(broken)).toBeNull()
  expect(inferConfig(new Map([...shapes].slice(1)))).toBeNull()
  expect(inferConfig(new Map())).toBeNull()
})

test('what dit says in a file is told in words', async () => {
  const folder = temporaryFolder()
  await makeTinyRun(folder)
  const file = join(temporaryFolder(), 'x.safetensors')
  await runDit(['convert', folder, file])
  const { stdout } = await runDit(['info', file])
  expect(stdout).toMatch(
    / {6}classes: disc, ring, square, triangle, cross, crescent\n {6}pixels: black is -1, white is 1\n/,
  )
  expect(stdout).toContain('trained as a Gaussian diffusion')
  expect(stdout).not.toContain('dit.config')
})

test('a broken description is told', async () => {
  const folder = temporaryFolder()
  const tensors = Object.fromEntries(
    Object.entries(parameterShapes(tinyModel)).map(([name, shape]) => [
      name,
      { dtype: 'F32', shape, data: new Float32Array(sizeOf(shape)) } as const,
    ]),
  )
  const infoOf = async (metadata: Record<string, string>) => {
    const file = join(folder, 'x.safetensors')
    await writeFile(file, writeSafetensors(tensors, { 'dit.config': JSON.stringify(tinyModel), ...metadata }))
    return (await runDit(['info', file])).stdout
  }
  expect(await infoOf({ 'dit.process': '{"kind":"flow","interpolant":"bent"}' })).toMatch(
    /trained as a flow: bent path, .*This process is broken: .*bent/,
  )
  expect(await infoOf({ 'dit.process': '[]' })).toContain(
    'The description in this file is broken: the metadata dit.process must be a process.',
  )
  expect(await infoOf({ 'dit.latents': '{"scale":0.18,"mean":[1,2,3],"deviation":2}' })).toContain(
    'latents: those of the autoencoder minus [1, 2, 3], divided by 2, times 0.18\n',
  )
})

test('JSON that is no index of weights is one clear usage error', async () => {
  const cwd = temporaryFolder()
  await writeFile(join(cwd, 'x.json'), '{"a":1}')
  await writeFile(join(cwd, 'y.json'), 'a')
  for (const name of ['x.json', 'y.json']) {
    for (const args of [['info'], ['sample'], ['convert']]) {
      const { code, stderr } = await runDit([...args, name, ...(args[0] === 'convert' ? ['o.pt'] : [])], { cwd })
      expect([code, stderr]).toEqual([2, expect.stringMatching(/^dit: [xy]\.json is not a weights file.*\n$/)])
    }
  }
})

test('what a file holds and cannot be used is told', async () => {
  const folder = temporaryFolder()
  const weights = await openWeights(join(layouts, 'diffusers'))
  const arrays = new Map<string, StoredArray>()
  for (const name of weights.entries.keys()) arrays.set(name, await weights.tensor(name))
  await weights.close()
  const name = 'final_layer.linear.bias'
  const { shape } = arrays.get(name)!
  const data = new Float32Array(shape[0])
  data[1] = NaN
  arrays.set(name, { dtype: 'F32', shape, data })
  const file = join(folder, 'nan.safetensors')
  await writeSafetensorsFile(file, arrays, { metadata: descriptionMetadata({ network: weights.config }) })
  const { stdout } = await runDit(['info', file])
  expect(stdout).toContain(`${name} holds values that are NaN or infinite: no picture can be made`)
  const converted = await runDit(['convert', file, join(folder, 'o.pt')])
  expect(converted).toMatchObject({ code: 0, stderr: expect.stringContaining(`${name} holds values that are NaN`) })
})

test('embedders of a diffusers folder that differ between its blocks are told at once', async () => {
  const folder = temporaryFolder()
  cpSync(join(layouts, 'diffusers'), folder, { recursive: true })
  const file = join(folder, 'diffusion_pytorch_model.safetensors')
  const opened = readSafetensors(readFileSync(file))
  const arrays = new Map<string, StoredArray>()
  for (const name of opened.entries.keys()) arrays.set(name, await opened.tensor(name))
  const name = 'transformer_blocks.1.norm1.emb.class_embedder.embedding_table.weight'
  const table = arrays.get(name)!
  arrays.set(name, { ...table, data: (table.data as Float32Array).map((value) => value + 1) } as StoredArray)
  writeFileSync(file, writeSafetensors(arrays))
  const { stdout } = await runDit(['info', folder])
  expect(stdout).toContain(`${name} must be a copy of`)
  const converted = await runDit(['convert', folder, join(folder, 'o.safetensors')])
  expect(converted).toMatchObject({ code: 2, stderr: expect.stringContaining(`${name} must be a copy of`) })
  expect(existsSync(join(folder, 'o.safetensors'))).toBe(false)
})
