import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ditConfig, inferConfig, parameterShapes } from '@dit/model'
import { sizeOf } from '@dit/tensor'
import { expect, test } from 'vitest'
import type { TensorReport } from '../src/commands/file-report.js'
import type { ModelReport } from '../src/commands/model-report.js'
import type { RunReport } from '../src/commands/run-report.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { makeTinyRun, tinyModel } from './support/tiny-run.js'

test('a named model: parameters, and compute labelled both ways', async () => {
  const { code, stdout } = await runDit(['info', 'DiT-XL/2'])
  expect(code).toBe(0)
  expect(stdout).toContain('675,129,632  in all')
  expect(stdout).toContain('674,834,720  trainable')
  expect(stdout).toMatch(/multiply-adds +FLOPs\n +forward +118\.6 G +237\.2 G/)
  expect(stdout).toContain('the "Gflops" of the DiT paper are multiply-adds')
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
  expect(stdout).toMatch(/step-0000002 +whole/)
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
  expect(optimizer.stdout).toContain('These are not the parameters of a DiT')
})

test.each([
  ['DiT-S8', /no model of that name; did you mean DiT-S\/8\?/, 2],
  ['nothing', /there is no such file or folder, and no model of that name; named models are DiT-S\/8 to DiT-XL\/2/, 2],
  ['.', /is neither a run \(it has no config\.json\) nor a checkpoint/, 2],
  ['damaged.safetensors', /damaged\.safetensors: /, 1],
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
