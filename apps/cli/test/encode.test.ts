import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { bfloat16ToFloat32, float16ToFloat32, readNpz, readSafetensors } from '@dit/checkpoint'
import { openImageFolder } from '@dit/data/node'
import { reference, tensor } from '@dit/tensor'
import { encode } from '@dit/vae'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadAutoencoder } from '@dit/pipeline'
import { autoencoderOf } from '@dit/pipeline/node'
import { openLatents } from '../src/run/open-latents.js'
import type { LatentsManifest } from '../src/run/manifest.js'
import { ENGINE, encodeArgs, makePictures, vae } from './support/pictures-to-encode.js'
import { runDit } from './support/run-dit.js'

let folder: string
let pictures: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dit-encode-'))
  pictures = join(folder, 'pictures')
  await makePictures(pictures)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const encodeInto = (out: string, ...args: string[]) => runDit([...encodeArgs(pictures, out), ...args])

const manifestOf = (out: string) => JSON.parse(readFileSync(join(out, 'latents.json'), 'utf8')) as LatentsManifest

test('keeps the posterior of each picture and of its mirror image, with its label', async () => {
  const out = join(folder, 'whole')
  const { code, stderr, stdout } = await encodeInto(out)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/done {3}3 files, \d+\.\d+ KiB; train on them with: dit train --latents /)
  const manifest = manifestOf(out)
  expect(manifest).toMatchObject({
    length: 10,
    size: 8,
    shape: [4, 4, 4],
    classes: ['a', 'b'],
    flips: true,
    dtype: 'F32',
  })
  expect(manifest.shards.map(({ count }) => count)).toEqual([4, 4, 2])

  const backend = reference()
  const { config, params } = await loadAutoencoder(await autoencoderOf(vae), null, backend)
  const source = await openImageFolder(pictures, { size: 8 })
  const file = readSafetensors(readFileSync(join(out, manifest.shards[1].file)))
  expect(await file.tensor('labels')).toMatchObject({ dtype: 'I32', data: Int32Array.of(0, 1, 1, 1) })
  for (const flip of [0, 1]) {
    const { x0 } = await source.read([4, 5, 6, 7], { flips: [flip, flip, flip, flip] })
    const { mean, logVariance } = encode(config, params, tensor(x0, [4, 3, 8, 8], { backend }))
    const suffix = flip === 1 ? '_flipped' : ''
    for (const [name, want] of [
      [`mean${suffix}`, mean],
      [`log_variance${suffix}`, logVariance],
    ] as const) {
      const got = await file.float32(name)
      const wanted = await want.data()
      // float32 against float64, through some ten layers
      expect(Math.max(...got.map((value, i) => Math.abs(value - wanted[i])))).toBeLessThan(1e-4)
    }
  }
  await source.close()
})

test('goes on after the last whole file, to the bytes of an unbroken run', async () => {
  const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')]
  await encodeInto(broken)
  const manifest = manifestOf(broken)
  // As a process leaves it that was killed while it wrote the second file.
  rmSync(join(broken, manifest.shards[1].file))
  rmSync(join(broken, manifest.shards[2].file))
  writeFileSync(join(broken, 'latents.json'), JSON.stringify({ ...manifest, shards: manifest.shards.slice(0, 1) }))
  const { code, stdout } = await encodeInto(broken)
  expect(code).toBe(0)
  expect(stdout).toMatch(/found {2}1 complete file\n/)
  expect(manifestOf(broken)).toEqual(manifestOf(whole))
  for (const { file } of manifest.shards) {
    expect(readFileSync(join(broken, file)).equals(readFileSync(join(whole, file)))).toBe(true)
  }
})

test('a file that was changed is found by its checksum', async () => {
  const out = join(folder, 'damaged')
  await encodeInto(out)
  const path = join(out, manifestOf(out).shards[1].file)
  const bytes = readFileSync(path)
  bytes[bytes.length - 1] ^= 1
  writeFileSync(path, bytes)
  const { code, stderr } = await encodeInto(out)
  expect(stderr).toMatch(/latents-00001.safetensors has changed since it was written \(its checksum differs\)/)
  expect(code).toBe(1)
})

test('a folder that cannot serve is named as it was given: the argument has no flag', async () => {
  const { code, stderr } = await runDit(encodeArgs(join(folder, 'nowhere'), join(folder, 'none')))
  expect(stderr).toMatch(/^dit: \S+nowhere: no such folder; give `shapes`, `sprites`, a folder/)
  expect(code).toBe(2)
  const options = await runDit([...encodeArgs('shapes', join(folder, 'none')), '--skip-bad'])
  expect(options.stderr).toContain('--skip-bad is for folders of pictures, but the data are shapes')
  expect(options.code).toBe(2)
})

test('refuses to mix latents, other folders, and sizes that do not divide', async () => {
  const mixed = await encodeInto(join(folder, 'whole'), '--no-flips')
  expect(mixed.stderr).toMatch(
    /holds latents of another encoding \(latents.json differs in flips\); give another folder/,
  )
  expect(mixed.code).toBe(2)
  const other = await encodeInto(pictures)
  expect(other.stderr).toMatch(/holds other files; give an empty or new folder for the latents/)
  const odd = await encodeInto(join(folder, 'odd'), '--size', '9')
  expect(odd.stderr).toMatch(/--size 9 must be a multiple of 2: one pixel of the latents/)
  expect(existsSync(join(folder, 'odd'))).toBe(false)
})

test.each([
  ['f16', 'F16', float16ToFloat32, 2 ** -11],
  ['bf16', 'BF16', bfloat16ToFloat32, 2 ** -8],
] as const)(
  '--dtype %s halves the files, rounded to the nearest, and training reads them',
  async (name, dtype, widen, unit) => {
    const [whole, half] = [join(folder, 'whole'), join(folder, name)]
    expect(await encodeInto(half, '--dtype', name)).toMatchObject({ code: 0, stderr: '' })
    const [manifest, full] = [manifestOf(half), manifestOf(whole)]
    expect(manifest).toEqual({ ...full, dtype, shards: manifest.shards })
    for (const [i, { file, bytes, sha256 }] of manifest.shards.entries()) {
      const content = readFileSync(join(half, file))
      expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([bytes, sha256])
      const [rounded, exact] = [readSafetensors(content), readSafetensors(readFileSync(join(whole, file)))]
      const values = ['mean', 'log_variance', 'mean_flipped', 'log_variance_flipped']
      // Everything but the labels and the header has half the bytes.
      expect(full.shards[i].bytes - bytes).toBeGreaterThan(2 * 4 * 64 * manifest.shards[i].count - 64)
      for (const tensor of values) {
        const wanted = await exact.float32(tensor)
        const got = widen((await rounded.tensor(tensor)).data as Uint16Array)
        const least = name === 'f16' ? 2 ** -25 : 0 // half the smallest number of f16
        expect(
          got.every((value, k) => Math.abs(value - wanted[k]) <= Math.max(least, unit * Math.abs(wanted[k]))),
        ).toBe(true)
      }
    }
    const opened = await openLatents(half, true)
    const reference = await openLatents(whole, true)
    const [batch, wanted] = await Promise.all(
      [opened, reference].map(({ dataset }) => dataset.read([0, 5, 9], { flips: [0, 1, 1] })),
    )
    expect(batch.labels).toEqual(wanted.labels)
    const largest = Math.max(...wanted.x0.map(Math.abs))
    expect(Math.max(...batch.x0.map((value, k) => Math.abs(value - wanted.x0[k])))).toBeLessThan(4 * unit * largest)
    await Promise.all([opened.close(), reference.close()])

    const resumed = await encodeInto(half)
    expect([resumed.code, resumed.stderr]).toEqual([
      2,
      expect.stringMatching(/another encoding \(latents\.json differs in dtype\)/),
    ])
    const run = join(folder, `run-${name}`)
    const trained = await runDit(['train', '--latents', half, ...TINY, '--steps=1', ...ENGINE, '--out', run])
    expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: '' })
  },
)

const TINY = [
  '--patch=2',
  '--hidden=16',
  '--depth=1',
  '--heads=2',
  '--batch=4',
  '--timesteps=20',
  '--schedule=squaredcos_cap_v2',
  '--checkpoint-every=3',
]
const train = (...args: string[]) => runDit(['train', '--latents', join(folder, 'whole'), ...TINY, ...ENGINE, ...args])
const filesOf = (run: string, step: number) =>
  ['model', 'ema', 'optimizer'].map((name) =>
    readFileSync(join(run, 'checkpoints', `step-000000${step}`, `${name}.safetensors`)).toString('base64'),
  )

test('dit train --latents draws from the posteriors, resumes to the byte, and dit sample --vae shows what it learned', async () => {
  const [run, broken] = [join(folder, 'run'), join(folder, 'broken-run')]
  const { code, stdout, stderr } = await train('--steps=6', '--out', run)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/10 latents from /)
  expect(stdout).toMatch(/dit sample .* --vae <autoencoder>/)
  expect(JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'))).toMatchObject({
    objective: { network: { config: { inputSize: 4, inChannels: 4, numClasses: 2 } } },
    data: { kind: 'latents', size: 4, channels: 4, length: 10 },
    sampleEvery: null,
  })
  cpSync(run, broken, { recursive: true })
  rmSync(join(broken, 'checkpoints', 'step-0000006'), { recursive: true })
  expect(await runDit(['train', '--resume', broken, '--quiet'])).toMatchObject({ code: 0, stderr: '' })
  expect(filesOf(broken, 6)).toEqual(filesOf(run, 6))

  const pictures = await sampled(run, vae)
  expect(pictures.shape).toEqual([4, 8, 8, 3])
  // The file of weights alone says how its latents are scaled, whatever the autoencoder says.
  const [file, other] = [join(folder, 'run.pt'), join(folder, 'other-vae')]
  expect(await runDit(['convert', run, file])).toMatchObject({ code: 0, stderr: '' })
  cpSync(vae, other, { recursive: true })
  const config = JSON.parse(readFileSync(join(vae, 'config.json'), 'utf8')) as object
  writeFileSync(join(other, 'config.json'), JSON.stringify({ ...config, scaling_factor: 1.5 }))
  expect(await sampled(file, other)).toEqual(pictures)
})

async function sampled(model: string, autoencoder: string) {
  const out = join(folder, `${basename(model)}.png`)
  const flags = ['--vae', autoencoder, '--classes=b,a', '--steps=4', '--count=2', ...ENGINE, '--npz', '--out', out]
  const { code, stderr } = await runDit(['sample', model, ...flags])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return (await readNpz(readFileSync(out.replace('.png', '.npz')))).get('arr_0')!
}

test('a folder whose manifest names no type holds float32, and can be gone on with', async () => {
  const [whole, old] = [join(folder, 'whole'), join(folder, 'old')]
  cpSync(whole, old, { recursive: true })
  const { dtype, ...rest } = manifestOf(whole)
  expect(dtype).toBe('F32')
  writeFileSync(join(old, 'latents.json'), JSON.stringify({ ...rest, shards: rest.shards.slice(0, 2) }))
  rmSync(join(old, rest.shards[2].file))
  expect((await encodeInto(old, '--dtype', 'f16')).stderr).toMatch(/another encoding \(latents.json differs in dtype\)/)
  expect(await encodeInto(old)).toMatchObject({ code: 0, stderr: '' })
  expect(manifestOf(old)).toEqual(manifestOf(whole))
  writeFileSync(join(old, 'latents.json'), JSON.stringify(rest))
  const opened = await openLatents(old, true)
  expect(opened.dataset.length).toBe(10)
  await opened.close()
  writeFileSync(join(old, 'latents.json'), JSON.stringify({ ...rest, dtype: 'F64' }))
  expect((await encodeInto(old)).stderr).toMatch(/does not describe latents/)
})

test('latents that cannot be trained on are refused', async () => {
  const refusal = async (...args: string[]) => (await runDit(['train', ...args, '--out', join(folder, 'never')])).stderr
  const whole = join(folder, 'whole')
  expect(await refusal('--latents', pictures)).toMatch(
    /the folder has no latents.json; encode latents with `dit encode`/,
  )
  expect(await refusal('--latents', whole, '--size', '8')).toMatch(
    /--size is for pictures, but --latents names latents/,
  )
  expect(await refusal('--latents', whole, '--patch', '3')).toMatch(/the side of the latents, 4 is not a multiple/)
  const part = join(folder, 'part')
  cpSync(whole, part, { recursive: true })
  const manifest = manifestOf(part)
  writeFileSync(join(part, 'latents.json'), JSON.stringify({ ...manifest, shards: manifest.shards.slice(0, 2) }))
  expect(await refusal('--latents', part)).toMatch(
    /encoding is not finished \(2 files so far\); repeat its `dit encode` command/,
  )
  writeFileSync(join(part, 'latents.json'), JSON.stringify(manifest))
  writeFileSync(join(part, manifest.shards[2].file), 'short')
  expect(await refusal('--latents', part, '--patch', '2')).toMatch(
    /latents-00002.safetensors has changed its size since it was/,
  )
  expect(existsSync(join(folder, 'never'))).toBe(false)
})
