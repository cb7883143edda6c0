import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { float32ToFloat16, readNpz, readSafetensors } from '@dit/checkpoint'
import { type TensorToWrite, writeSafetensorsFile, writeShards, writeTorchFile } from '@dit/checkpoint/node'
import { descriptionMetadata } from '@dit/model'
import { openWeights } from '@dit/model/node'
import { openModel, requireDiT } from '@dit/pipeline/node'
import { denoiserGraph, onnxBytes } from '@dit/onnx'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runDit } from './support/run-dit.js'

// A pipeline that diffusers saved: tools/oracle/diffusers-pipeline.py.
const pipeline = fileURLToPath(new URL('../../../test/fixtures/pipeline', import.meta.url))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dit-weights-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function pixelsOf(name: string, args: readonly string[]): Promise<Uint8Array> {
  const out = join(folder, name)
  const flags = ['--classes', 'golden retriever,417', '--count', '2', '--steps', '4', '--guidance', '3']
  const all = ['sample', '--weights', pipeline, ...flags, ...args, '--backend', 'cpu-wasm', '--threads', '1']
  const { code, stderr } = await runDit([...all, '--out', `${out}.png`, '--npz', '--quiet'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: IMAGENET })
  const { shape, data } = (await readNpz(readFileSync(`${out}.npz`))).get('arr_0')!
  expect(shape).toEqual([4, 8, 8, 3])
  return data as Uint8Array
}

/** What is said where nothing names a thousand classes. */
const IMAGENET = 'dit: assumed: class names of ImageNet, because there are 1,000 classes\n'

const largestDifference = (a: Uint8Array, b: Uint8Array) => Math.max(...a.map((value, i) => Math.abs(value - b[i])))

test('a pipeline is sampled with its own scheduler and autoencoder, the same every time', async () => {
  const first = await pixelsOf('first', [])
  expect(await pixelsOf('again', ['--batch', '1'])).toEqual(first)
  expect(await pixelsOf('given', ['--vae', join(pipeline, 'vae')])).toEqual(first)
  // Weights rounded to 11 bits move tiny pictures by a few levels.
  const half = largestDifference(await pixelsOf('half', ['--half', 'f16']), first)
  expect(half).toBeLessThan(8)
  // All four channels are guided in a pipeline; three in the files of the official code.
  expect(await pixelsOf('all', ['--guidance-channels', 'all'])).toEqual(first)
  expect(largestDifference(await pixelsOf('three', ['--guidance-channels', '3']), first)).toBeGreaterThan(0)
  expect(largestDifference(await pixelsOf('dpm', ['--sampler', 'dpm']), first)).toBeGreaterThan(0)
  expect(largestDifference(await pixelsOf('null', ['--null-class', '5']), first)).toBeGreaterThan(0)
})

test.each([
  [['--classes', 'crane'], /^dit: --classes: several classes are called crane; give the number: 134/],
  [['--run', 'runs/x'], /^dit: --run, --checkpoint and --weights each name a model/],
  [['--guidance', '2', '--null-class', '1001'], /^dit: --null-class 1001 must be a class of .*, 0 to 1000/],
  [['--vae', 'nowhere'], /^dit: --vae nowhere: there is no diffusers autoencoder/],
  [['--guidance', '2', '--guidance-channels', '5'], /^dit: --guidance-channels 5 must be 1 to 4, or all/],
  [['--preview'], /^dit: --preview shows pixels only; leave it out/],
])('refuses %o', async (args, message) => {
  const { code, stderr } = await runDit([
    'sample',
    '--weights',
    pipeline,
    '--classes',
    '1',
    ...args,
    '--out',
    join(folder, 'no.png'),
  ])
  expect(stderr).toMatch(message)
  expect(code).toBe(2)
})

test('an autoencoder is read from .bin files, from a variant in half precision and from shards', async () => {
  const first = await pixelsOf('plain', [])
  const source = readSafetensors(readFileSync(join(pipeline, 'vae/diffusion_pytorch_model.safetensors')))
  const arrays = new Map<string, TensorToWrite>()
  const half = new Map<string, TensorToWrite>()
  for (const [name, { shape }] of source.entries) {
    const data = await source.float32(name)
    arrays.set(name, { dtype: 'F32', shape, data })
    half.set(name, { dtype: 'F16', shape, data: float32ToFloat16(data) })
  }
  const forms = {
    bin: (vae: string) => writeTorchFile(join(vae, 'diffusion_pytorch_model.bin'), arrays),
    shards: (vae: string) => writeShards(join(vae, 'diffusion_pytorch_model.safetensors'), arrays, { maxBytes: 4000 }),
    fp16: (vae: string) => writeSafetensorsFile(join(vae, 'diffusion_pytorch_model.fp16.safetensors'), half),
  }
  for (const [name, write] of Object.entries(forms)) {
    const vae = join(folder, `vae-${name}`)
    mkdirSync(vae)
    cpSync(join(pipeline, 'vae/config.json'), join(vae, 'config.json'))
    await write(vae)
    const difference = largestDifference(await pixelsOf(`vae-of-${name}`, ['--vae', vae]), first)
    // Half precision rounds the parameters, and so moves a few pixels.
    expect(difference, name).toBeLessThanOrEqual(name === 'fp16' ? 3 : 0)
  }
})

test('weights of latents alone need an autoencoder', async () => {
  const { code, stderr } = await runDit(['sample', '--weights', join(pipeline, 'transformer'), '--classes', '1'])
  expect(stderr).toMatch(/write them with --latents <file>, or give their autoencoder with --vae <folder>/)
  expect(code).toBe(2)
})

test('dit export writes the denoiser and the decoder', async () => {
  const out = join(folder, 'onnx')
  const args = ['export', '--onnx', out, '--weights', pipeline, '--vae', pipeline, '--guidance', '--json']
  const { code, stdout, stderr } = await runDit(args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { file: string; inputs: { name: string }[] })
  expect(events.map(({ inputs }) => inputs.map(({ name }) => name))).toEqual([
    ['xt', 'timesteps', 'labels', 'guidance_scale'],
    ['latents'],
  ])
  const weights = await openWeights(pipeline)
  const graph = denoiserGraph(weights.config, { guidance: { channels: 'all' } })
  const { description } = requireDiT(await openModel(pipeline), 'the test')
  const metadata = descriptionMetadata(description)
  const pieces: Uint8Array[] = []
  for await (const piece of onnxBytes(graph, (name) => weights.float32(name), { metadata })) pieces.push(piece)
  await weights.close()
  expect(readFileSync(join(out, 'denoiser.onnx')).equals(Buffer.concat(pieces))).toBe(true)
  expect(readFileSync(join(out, 'vae_decoder.onnx')).byteLength).toBeGreaterThan(30_000)
})

test.each([
  [[], /^dit: which model\? Give a run or weights: `dit export <run or weights>`/],
  [['--weights', pipeline, '--null-class', '3'], /^dit: --guidance-channels and --null-class change guidance/],
  [
    ['--weights', pipeline, '--guidance', '--null-class', '1001'],
    /^dit: --null-class 1001 must be a class of the model, 0/,
  ],
])('dit export refuses %o', async (args, message) => {
  mkdirSync(join(folder, 'no'), { recursive: true })
  const { code, stderr } = await runDit(['export', '--onnx', join(folder, 'no'), ...args])
  expect(stderr).toMatch(message)
  expect(code).toBe(2)
})

test('--tile and --no-tile are for pictures of an autoencoder; small ones are the same either way', async () => {
  const whole = await pixelsOf('whole', ['--no-tile'])
  expect(await pixelsOf('tiled', ['--tile'])).toEqual(whole)
})
