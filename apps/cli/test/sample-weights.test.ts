import { mkdirSync, readFileSync, writeFileSync, cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { readNpz, type StoredArray } from '@dit/checkpoint'
import { describe, expect, test } from 'vitest'
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

describe("the scheduler beside diffusers' transformer", () => {
  const LINEAR = { _class_name: 'PNDMScheduler', beta_schedule: 'linear', beta_start: 0.0001, beta_end: 0.02 }
  const pipeline = () => {
    const folder = temporaryFolder()
    const config = join(folder, 'scheduler/scheduler_config.json')
    cpSync(join(layouts, 'diffusers'), join(folder, 'transformer'), { recursive: true })
    writeFileSync(join(folder, 'model_index.json'), '{}')
    mkdirSync(join(folder, 'scheduler'))
    return {
      folder,
      write: (fields: object | string) => {
        writeFileSync(config, typeof fields === 'string' ? fields : JSON.stringify(fields))
      },
    }
  }

  test('says the process, whichever sampler is chosen', async () => {
    const { folder, write } = pipeline()
    // Python writes this number, which is none in JSON.
    write(JSON.stringify(LINEAR).replace('{', '{"lambda_min_clipped": -Infinity, '))
    const usual = await latents(['--weights', join(layouts, 'diffusers')])
    const drawn = () => latents(['--weights', folder, '--sampler', 'ddpm'])
    expect((await drawn()).data).toEqual(usual.data)
    for (const other of [{ beta_end: 0.012 }, { beta_schedule: 'squaredcos_cap_v2' }, { prediction_type: 'sample' }]) {
      write({ ...LINEAR, ...other })
      expect((await drawn()).data, JSON.stringify(other)).not.toEqual(usual.data)
    }
  })

  test.each(['EulerAncestralDiscrete', 'UniPCMultistep', 'PNDM', 'FlowMatchEulerDiscrete', 'EDMEuler'])(
    '%sScheduler samples',
    async (name) => {
      const { folder, write } = pipeline()
      write({ _class_name: `${name}Scheduler`, ...(name === 'PNDM' ? { skip_prk_steps: true } : {}) })
      const drawn = await latents(['--weights', folder])
      expect(drawn.data.every(Number.isFinite)).toBe(true)
      expect((await latents(['--weights', folder])).data).toEqual(drawn.data)
    },
  )

  test('is refused where it is not here, with the way out', async () => {
    const { folder, write } = pipeline()
    const refusal = async (...args: string[]) => {
      const all = [...args, '--latents', join(folder, 'l.npz')]
      const { code, stderr } = await runDit(['sample', '--weights', folder, ...COMMON, ...all])
      expect(code).toBe(2)
      return stderr
    }
    write({ ...LINEAR, _class_name: 'SASolverScheduler' })
    expect(await refusal()).toMatch(
      /scheduler_config\.json: _class_name must be one of DDIMScheduler, .*; choose another one with --sampler\n$/,
    )
    write({ _class_name: 'CMStochasticIterativeScheduler' })
    expect(await refusal()).toMatch(/_class_name must be one of .* \(got "CMStochasticIterativeScheduler"\)\n$/)
    write({ _class_name: 'FlowMatchEulerDiscreteScheduler' })
    expect(await refusal('--sampler', 'ddpm')).toMatch(
      /the model was trained as a flow, which can use midpoint, heun, euler, /,
    )
    write({ ...LINEAR, _class_name: 'DDIMScheduler', rescale_betas_zero_snr: true })
    expect(await refusal('--sampler', 'ddpm')).toMatch(/rescale_betas_zero_snr need their own sampler; leave/)
    write({ _class_name: 'DDIMScheduler', prediction_type: 'v_prediction' })
    expect(await refusal('--sampler', 'ddpm')).toMatch(/prediction_type v_prediction need their own sampler; leave/)
    write({ prediction_type: 'flow' })
    expect(await refusal('--sampler', 'ddpm')).toMatch(/: prediction_type must be "epsilon" or .* \(got "flow"\)\n$/)
    write('{')
    expect(await refusal()).toMatch(/scheduler_config\.json: must be JSON\n$/)
  })
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
  [['--weights', join(layouts, 'diffusers')], /makes latents of 4 channels, not pictures; write them with --latents/],
  [
    ['--weights', join(layouts, 'diffusers'), '--latents', 'l.npz', '--npz'],
    /--npz writes pictures, but .* makes latents of 4 channels/,
  ],
  [['--weights', join(layouts, 'diffusers'), '--run', 'r'], /--run, --checkpoint and --weights each name a model/],
  [['--weights', 'none'], /none: there is no such file or folder/],
  [
    ['--weights', join(layouts, 'state.pt'), '--latents', 'l.npz'],
    /--heads is needed, because neither the file nor its sizes/,
  ],
  [['--weights', join(layouts, 'sharded'), '--raw'], /it holds one set, and does not say which/],
])('%j is one clear line', async (args, message) => {
  const cwd = temporaryFolder()
  const { code, stderr } = await runDit(['sample', ...args, ...ENGINE], { cwd })
  expect(stderr).toMatch(message)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(code).toBe(2)
  expect(existsSync(join(cwd, 'l.npz'))).toBe(false)
})
