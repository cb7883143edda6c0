import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSafetensors, type StoredArray } from '@dit/checkpoint'
import { writeSafetensorsFile } from '@dit/checkpoint/node'
import { dispose, type Params, reference, tensor } from '@dit/tensor'
import { afterAll, describe, expect, test } from 'vitest'
import {
  configFromDiffusers,
  descriptionMetadata,
  type DiTConfig,
  forward,
  holdParams,
  loadParams,
  type ModelWeights,
  type ParameterSource,
  toDiffusers,
} from '../../src/index.js'
import { openWeights } from '../../src/node/index.js'

// Made by tools/oracle/diffusers-dit.py with torch 2.15.0 and diffusers 0.42.1.
const fixtures = join(import.meta.dirname, '../fixtures/layouts')
const expected = readSafetensors(readFileSync(join(fixtures, 'expected.safetensors')))
const diffusersConfig = JSON.parse(readFileSync(join(fixtures, 'diffusers/config.json'), 'utf8')) as object
const backend = reference()
const temporary = mkdtempSync(join(tmpdir(), 'dit-weights-'))
afterAll(() => rmSync(temporary, { recursive: true }))

/** Largest difference from what diffusers computed. */
async function difference(config: DiTConfig, params: Params | ParameterSource, wanted: string): Promise<number> {
  const input = async (name: string) => (await expected.tensor(name)) as StoredArray & { data: Int32Array }
  const x = await input('x')
  const xt = tensor(x.data, x.shape, { backend })
  const inputs = { xt, timesteps: (await input('t')).data, labels: (await input('y')).data }
  const out = forward(config, params, inputs)
  const [got, want] = [await out.data(), await expected.float32(wanted)]
  dispose([xt, out])
  expect(got.length).toBe(want.length)
  return want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0)
}

async function differenceOf(weights: ModelWeights, wanted: string): Promise<number> {
  const params = await loadParams(weights, { backend })
  const found = await difference(weights.config, params, wanted)
  dispose(params)
  return found
}

/** Float32 in diffusers against float64 here: outputs up to 3, some hundred terms. */
const ROUNDING = 1e-5

describe('gives the outputs of diffusers', () => {
  test.each([
    ['diffusers', 'out', 'diffusers/diffusion_pytorch_model.safetensors'],
    ['sharded', 'half', 'sharded/diffusion_pytorch_model.safetensors.index.json'],
    ['bin', 'bf16', 'bin/diffusion_pytorch_model.bin.index.json'],
  ])('from the folder %s', async (folder, wanted, path) => {
    const weights = await openWeights(join(fixtures, folder))
    expect(weights.path).toBe(join(fixtures, path))
    expect(weights).toMatchObject({ layout: 'diffusers', which: null, assumptions: [] })
    expect(weights.config).toEqual({
      inputSize: 4,
      patchSize: 2,
      inChannels: 4,
      hiddenSize: 8,
      depth: 2,
      numHeads: 2,
      mlpRatio: 4,
      numClasses: 3,
      classDropout: 0.1,
      learnSigma: true,
      timestepFrequencyShift: 1,
      mlpNormEpsilon: 1e-5,
    })
    expect(await differenceOf(weights, wanted)).toBeLessThan(ROUNDING)
    await weights.close()
  })

  test('from a pipeline, whose transformer is one folder below', async () => {
    const pipeline = join(temporary, 'pipeline')
    cpSync(join(fixtures, 'diffusers'), join(pipeline, 'transformer'), { recursive: true })
    writeFileSync(join(pipeline, 'model_index.json'), '{}')
    const weights = await openWeights(pipeline)
    expect(await differenceOf(weights, 'out')).toBeLessThan(ROUNDING)
    await weights.close()
  })

  test('with attention fused, and the parts beside it unused', async () => {
    const config = { ...configFromDiffusers(diffusersConfig), depth: 1 }
    const weights = await openWeights(join(fixtures, 'fused.safetensors'), { config })
    expect(await differenceOf(weights, 'fused')).toBeLessThan(ROUNDING)
    await weights.close()
  })

  test('from a training state under official names, and only with the constants of diffusers', async () => {
    const path = join(fixtures, 'state.pt')
    const known = await openWeights(path, { config: configFromDiffusers(diffusersConfig) })
    expect(known).toMatchObject({ layout: 'reference', which: 'ema' })
    expect(await differenceOf(known, 'out')).toBeLessThan(ROUNDING)
    await known.close()
    const inferred = await openWeights(path)
    // The model named in its arguments is another one, so that they say nothing of its heads.
    expect(inferred.assumptions).toEqual([
      '1 attention heads (a file does not say)',
      'a fixed position table',
      'a square input',
    ])
    const config = { ...inferred.config, numHeads: 2 }
    const off = await differenceOf({ ...inferred, config }, 'out')
    expect(off).toBeGreaterThan(100 * ROUNDING)
    expect(off).toBeLessThan(1)
    await inferred.close()
  })

  test('from weights held in half precision', async () => {
    const weights = await openWeights(join(fixtures, 'sharded'))
    const held = await holdParams(weights, { backend })
    const { buffers } = backend.memory()
    expect(await difference(weights.config, held, 'half')).toBeLessThan(ROUNDING)
    expect(backend.memory().buffers).toBe(buffers)
    held.dispose()
    await weights.close()
  })
})

describe('round trips', () => {
  async function write(folder: string, weights: ModelWeights): Promise<void> {
    const theirs = await toDiffusers(weights)
    mkdirSync(folder, { recursive: true })
    const tensors = [...theirs.entries].map(([name, spec]) => {
      return [name, { ...spec, data: async () => (await theirs.tensor(name)).data }] as const
    })
    writeFileSync(join(folder, 'config.json'), JSON.stringify(theirs.diffusersConfig))
    const options = { metadata: descriptionMetadata({ network: weights.config }) }
    await writeSafetensorsFile(join(folder, 'diffusion_pytorch_model.safetensors'), new Map(tensors), options)
  }

  test('what is written for diffusers is what diffusers has written, name by name and bit by bit', async () => {
    const folder = join(temporary, 'again')
    const weights = await openWeights(join(fixtures, 'diffusers'))
    await write(folder, weights)
    await weights.close()
    const open = (folder: string) => readSafetensors(readFileSync(join(folder, 'diffusion_pytorch_model.safetensors')))
    const [got, want] = [open(folder), open(join(fixtures, 'diffusers'))]
    expect([...got.entries.keys()].toSorted()).toEqual([...want.entries.keys()].toSorted())
    for (const name of want.entries.keys()) expect(await got.tensor(name), name).toEqual(await want.tensor(name))
    const { _diffusers_version: _, ...config } = diffusersConfig as Record<string, unknown>
    expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toEqual(config)
  })

  test('official names to diffusers and back: the same tensors and the same configuration', async () => {
    const weights = await openWeights(join(fixtures, 'state.pt'))
    const folder = join(temporary, 'official')
    await write(folder, weights)
    const back = await openWeights(folder)
    expect(back.config).toEqual(weights.config)
    expect([...back.entries.keys()]).toEqual([...weights.entries.keys()])
    // The position table is computed again: in float32, from float64.
    for (const name of [...weights.entries.keys()].filter((name) => name !== 'pos_embed')) {
      expect(await back.tensor(name), name).toEqual(await weights.tensor(name))
    }
    await weights.close()
    await back.close()
  })
})

describe('refuses', () => {
  test('a variant in half precision, and a whole file before it', async () => {
    const folder = join(temporary, 'variant')
    mkdirSync(folder)
    cpSync(join(fixtures, 'diffusers/config.json'), join(folder, 'config.json'))
    const file = join(fixtures, 'diffusers/diffusion_pytorch_model.safetensors')
    for (const name of ['diffusion_pytorch_model.fp16.safetensors', 'diffusion_pytorch_model.safetensors']) {
      cpSync(file, join(folder, name))
      const weights = await openWeights(folder)
      expect(weights.path).toBe(join(folder, name))
      await weights.close()
    }
  })

  test('weights that are not there', async () => {
    const path = join(fixtures, 'state.pt')
    const wanted = { which: 'model' } as const
    // They have "module." before their names, and are float16.
    const model = await openWeights(path, wanted)
    expect(model.entries.get('pos_embed')).toMatchObject({ dtype: 'F16', shape: [1, 4, 8] })
    await model.close()
    await expect(openWeights(join(fixtures, 'fused.safetensors'), wanted)).rejects.toThrow(
      'must be a training state to have model weights',
    )
  })

  test('a folder without weights, and a config.json that is none', async () => {
    const folder = join(temporary, 'empty')
    mkdirSync(folder)
    await expect(openWeights(folder)).rejects.toThrow('must have weights, such as diffusion_pytorch_model.safetensors')
    cpSync(join(fixtures, 'diffusers'), folder, { recursive: true })
    writeFileSync(join(folder, 'config.json'), '{')
    await expect(openWeights(folder)).rejects.toThrow('config.json must be JSON')
    writeFileSync(join(folder, 'config.json'), '{"_class_name":"UNet2DModel"}')
    await expect(openWeights(folder)).rejects.toThrow('_class_name must be DiTTransformer2DModel (got "UNet2DModel")')
    await expect(openWeights(join(folder, 'none.pt'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
