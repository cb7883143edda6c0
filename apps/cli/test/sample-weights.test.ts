import { mkdirSync, readFileSync, writeFileSync, cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { readNpz, type StoredArray } from '@dit/checkpoint'
import { expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { makeTinyRun } from './support/tiny-run.js'

const layouts = join(import.meta.dirname, '../../../packages/model/test/fixtures/layouts')
const ENGINE = ['--backend', 'reference', '--quiet']
const COMMON = [...ENGINE, '--classes', '0,2', '--count', '1', '--steps', '3', '--guidance', '2']

/** Latents that the arguments give. */
async function latents(args: readonly string[]): Promise<StoredArray & { readonly data: Float32Array }> {
  const file = join(temporaryFolder(), 'latents.npz')
  const { code, stderr } = await runDit(['sample', ...args, ...COMMON, '--latents', file])
  expect({ code, errors: stderr.replaceAll(/^dit: assumed.*\n/gm, '') }).toEqual({ code: 0, errors: '' })
  return (await readNpz(readFileSync(file))).get('arr_0') as StoredArray & { readonly data: Float32Array }
}

/** Largest difference, in units of the largest value. */
const difference = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0) / Math.max(...b.map(Math.abs))

test('a folder of diffusers gives latents, whole or in shards, held in half precision or not', async () => {
  const whole = await latents(['--weights', join(layouts, 'diffusers')])
  expect(whole).toMatchObject({ dtype: 'F32', shape: [2, 4, 4, 4] })
  const shards = await latents(['--weights', join(layouts, 'sharded')])
  const held = await latents(['--weights', join(layouts, 'diffusers'), '--half', 'f16'])
  // Float16 has 11 bits, and a few dozen roundings add up; a wrong weight would give another picture.
  expect(difference(shards.data, whole.data)).toBeLessThan(0.02)
  expect(difference(held.data, whole.data)).toBeLessThan(0.02)
  expect(difference(held.data, whole.data)).toBeGreaterThan(0)
  // Float16 on disk and held as it is: the same numbers. Those of the first sum are the position table's, float32 in both.
  const heldShards = await latents(['--weights', join(layouts, 'sharded'), '--half', 'bf16'])
  expect(heldShards.data).toEqual(shards.data)
})

test('guidance has all channels of weights of diffusers, three of others', async () => {
  const folder = join(layouts, 'diffusers')
  const usual = await latents(['--weights', folder])
  expect((await latents(['--weights', folder, '--guidance-channels', 'all'])).data).toEqual(usual.data)
  expect((await latents(['--weights', folder, '--guidance-channels', '3'])).data).not.toEqual(usual.data)
})

test("the scheduler beside diffusers' transformer says the process", async () => {
  const folder = temporaryFolder()
  cpSync(join(layouts, 'diffusers'), join(folder, 'transformer'), { recursive: true })
  writeFileSync(join(folder, 'model_index.json'), '{}')
  mkdirSync(join(folder, 'scheduler'))
  const schedule = (fields: object) =>
    writeFileSync(join(folder, 'scheduler/scheduler_config.json'), JSON.stringify(fields))
  schedule({
    beta_schedule: 'linear',
    beta_start: 0.0001,
    beta_end: 0.02,
    num_train_timesteps: 1000,
    prediction_type: 'epsilon',
  })
  const config = join(folder, 'scheduler/scheduler_config.json')
  writeFileSync(config, readFileSync(config, 'utf8').replace('{', '{"lambda_min_clipped": -Infinity, '))
  const usual = await latents(['--weights', join(layouts, 'diffusers')])
  expect((await latents(['--weights', folder])).data).toEqual(usual.data)
  schedule({ beta_schedule: 'squaredcos_cap_v2' })
  expect((await latents(['--weights', folder])).data).not.toEqual(usual.data)
  schedule({ prediction_type: 'v_prediction' })
  const { code, stderr } = await runDit(['sample', '--weights', folder, ...COMMON, '--latents', join(folder, 'l.npz')])
  expect(code).toBe(2)
  expect(stderr).toMatch(/^dit: .*scheduler_config\.json: prediction_type must be epsilon\n$/)
})

test('converted weights of a run of pixels give its pictures', async () => {
  const folder = temporaryFolder()
  await makeTinyRun(join(folder, 'run'))
  const file = join(folder, 'run.safetensors')
  expect(await runDit(['convert', join(folder, 'run'), file])).toMatchObject({ code: 0, stderr: '' })
  const pictures = async (source: readonly string[]) => {
    const out = join(folder, `${source.length}${source[0]}.png`)
    expect(await runDit(['sample', ...source, ...COMMON, '--out', out, '--npz'])).toMatchObject({ code: 0, stderr: '' })
    return (await readNpz(readFileSync(out.replace('.png', '.npz')))).get('arr_0')
  }
  // The recipe of the run has another schedule than published weights; the pictures differ, but they are pictures.
  expect(await pictures(['--weights', file])).toMatchObject({ dtype: 'U8', shape: [2, 4, 4, 3] })
})

test.each([
  [
    ['--weights', join(layouts, 'diffusers')],
    /is a model of 4 channels, not of pixels: its samples are latents; write them with --latents/,
  ],
  [
    ['--weights', join(layouts, 'diffusers'), '--latents', 'l.npz', '--npz'],
    /--npz is for pictures, but .* is a model of 4 channels/,
  ],
  [['--weights', join(layouts, 'diffusers'), '--run', 'r'], /--run, --checkpoint and --weights exclude each other/],
  [['--weights', 'none'], /none: there is no such file or folder/],
  [['--weights', join(layouts, 'sharded'), '--raw'], /it holds one set, and does not say which/],
])('%j is one clear line', async (args, message) => {
  const cwd = temporaryFolder()
  const { code, stderr } = await runDit(['sample', ...args, ...ENGINE], { cwd })
  expect(stderr).toMatch(message)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(code).toBe(2)
  expect(existsSync(join(cwd, 'l.npz'))).toBe(false)
})
