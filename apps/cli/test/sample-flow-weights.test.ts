import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readNpz, type StoredArray, writeNpy, writeNpz, writeSafetensors } from '@dit/checkpoint'
import { flowProcess } from '@dit/diffusion'
import { forward, loadParams } from '@dit/model'
import { openWeights } from '@dit/model/node'
import { lastStep, rungeKutta } from '@dit/sampler'
import { dispose, reference, tensor, toFloat32Array } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { type TrainingState, tinyWeights, type Weights, writeState } from './support/training-state.js'
import { makeTinyRun } from './support/tiny-run.js'

const COMMON = ['--backend', 'reference', '--quiet', '--classes', '0,2', '--count', '1', '--steps', '3']
const SHAPE = [2, 4, 4, 4]

/** Noise that no seed gives. */
const noise: StoredArray & { readonly data: Float32Array } = {
  dtype: 'F32',
  shape: SHAPE,
  data: Float32Array.from({ length: 128 }, (_, i) => Math.sin(3 * i)),
}

async function stateFile(state: TrainingState, name = 'checkpoint.pt'): Promise<string> {
  const file = join(temporaryFolder(), name)
  await writeState(file, state)
  return file
}

const sit = (args: Readonly<Record<string, string>> = {}) =>
  stateFile({ args: { path_type: 'Linear', prediction: 'velocity', ...args } })

/** Samples of weights, with what was said of them. */
async function drawn(file: string, ...args: readonly string[]) {
  const out = join(temporaryFolder(), 'l.npz')
  const all = ['sample', '--weights', file, ...args, ...COMMON, '--heads', '2', '--latents', out]
  const { code, stderr } = await runDit(all)
  expect({ code, stderr: stderr.replaceAll(/^dit: assumed.*\n/gm, '') }).toEqual({ code: 0, stderr: '' })
  const latents = (await readNpz(readFileSync(out))).get('arr_0')!.data as Float32Array
  return { latents, said: stderr.trim().replace(/^dit: /, '') }
}

/** The line with which `dit sample` refuses. */
async function refusal(file: string, ...args: readonly string[]): Promise<string> {
  const out = join(temporaryFolder(), 'l.npz')
  const { code, stderr } = await runDit([
    'sample',
    '--weights',
    file,
    ...args,
    ...COMMON,
    '--heads',
    '2',
    '--latents',
    out,
  ])
  expect(code).toBe(2)
  expect(existsSync(out)).toBe(false)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  return stderr.trim().replaceAll(file, 'FILE')
}

const withMore = async (more: Readonly<Record<string, readonly number[]>>): Promise<Weights> => {
  const added = Object.entries(more).map(([name, shape]) => {
    const size = shape.reduce((product, extent) => product * extent, 1)
    return [name, { shape, data: new Float32Array(size) }] as const
  })
  return new Map([...(await tinyWeights()), ...added])
}

describe('weights of SiT', () => {
  test('from a training checkpoint go along the path that its arguments say', async () => {
    const file = await sit({ path_type: 'GVP' })
    const start = join(temporaryFolder(), 'noise.npy')
    writeFileSync(start, writeNpy(noise))
    const { latents } = await drawn(file, '--noise', start)

    const backend = reference()
    const weights = await openWeights(file)
    const config = { ...weights.config, numHeads: 2 }
    const params = await loadParams(weights, { backend })
    await weights.close()
    const process = flowProcess({ networkTime: 'towardsData', interpolant: 'gvp', outputsPerChannel: 2 })
    const denoise = process.denoiser((xt, timesteps) => forward(config, params, { xt, timesteps, labels: [0, 2] }))
    const xT = tensor(noise.data, SHAPE, { backend })
    const samples = await lastStep(rungeKutta(process.path({ numSteps: 3 }), denoise, xT, { method: 'midpoint' }))
    expect(latents).toEqual(await toFloat32Array(samples))
    dispose([params, xT, samples])
  })

  test('without arguments are the same where flags say so, and else those of a diffusion', async () => {
    const [state, bare] = [await sit({ path_type: 'GVP', prediction: 'score' }), await stateFile({ key: null })]
    const known = await drawn(state)
    expect(known.said).not.toMatch(/flow|diffusion/)
    const asked = await drawn(bare, '--process', 'flow', '--path', 'gvp', '--predict', 'score')
    expect(asked.latents).toEqual(known.latents)
    const assumed = await drawn(bare, '--process', 'flow')
    expect(assumed.said).toMatch(
      /a flow as in SiT, with time from noise to data \(.*\); a linear path; that it predicts velocity$/,
    )
    const other = await drawn(bare)
    expect(other.said).toMatch(
      /; a Gaussian diffusion \(if these are weights of SiT, which have the same names, give --process flow\)$/,
    )
    expect((await drawn(bare, '--process', 'gaussian')).said).not.toMatch(/Gaussian/)
    expect(other.latents).not.toEqual(assumed.latents)
  })

  test('do not take flags that say something else', async () => {
    const file = await sit({ path_type: 'GVP' })
    expect(await refusal(file, '--path', 'linear')).toBe('dit: --path linear: FILE says gvp; leave the option out')
    expect(await refusal(file, '--predict', 'score')).toBe(
      'dit: --predict score: FILE says velocity; leave the option out',
    )
    expect(await refusal(file, '--process', 'gaussian')).toBe(
      'dit: --process gaussian: FILE says that it was trained as a flow; leave --process out',
    )
    expect(await refusal(await stateFile({ key: null }), '--path', 'vp')).toBe(
      'dit: --path works only with --process flow',
    )
    expect(await refusal(await sit({ path_type: 'Cubic' }))).toBe(
      'dit: FILE: the saved path_type of SiT must be Linear, GVP, VP (got "Cubic")',
    )
    expect((await drawn(file, '--process', 'flow', '--path', 'gvp', '--predict', 'velocity')).latents).toEqual(
      (await drawn(file)).latents,
    )
  })

  test('converted to safetensors are sampled as before', async () => {
    const file = await sit({ path_type: 'GVP' })
    const to = join(temporaryFolder(), 'sit.safetensors')
    expect((await runDit(['convert', file, to, '--heads', '2', '--quiet'])).code).toBe(0)
    expect((await drawn(to)).latents).toEqual((await drawn(file)).latents)
  })
})

describe('weights of other programs', () => {
  test('of REPA lose their projectors, and their time runs the other way', async () => {
    const repa = await withMore({ 'projectors.0.0.weight': [8, 8], 'projectors.0.0.bias': [8] })
    const file = await stateFile({ weights: repa, args: { path_type: 'linear', prediction: 'v' } })
    const { latents } = await drawn(file)
    expect(latents).not.toEqual((await drawn(await sit())).latents)
    const bare = await drawn(await stateFile({ weights: repa, key: null }))
    expect(bare.latents).toEqual(latents)
    expect(bare.said).toMatch(/; a linear path$/)
    // An ODE follows the velocity alone; an SDE needs the path for its score.
    const noisy = ['--sampler', 'sde', '--path'] as const
    const onPath = async (path: string) =>
      (await drawn(await stateFile({ weights: repa, key: null }), ...noisy, path)).latents
    expect(await onPath('gvp')).not.toEqual(await onPath('linear'))
  })

  test('of REPA with QK norm are sampled with it', async () => {
    const projector = { 'projectors.0.0.weight': [8, 8] }
    const norms = Object.fromEntries(
      [0, 1].flatMap((i) =>
        ['q_norm.weight', 'q_norm.bias', 'k_norm.weight', 'k_norm.bias'].map((name) => [
          `blocks.${i}.attn.${name}`,
          [4],
        ]),
      ),
    )
    const { latents } = await drawn(await stateFile({ weights: await withMore({ ...projector, ...norms }) }))
    expect(latents).not.toEqual((await drawn(await stateFile({ weights: await withMore(projector) }))).latents)
    const { 'blocks.1.attn.k_norm.bias': _, ...some } = norms
    expect(await refusal(await stateFile({ weights: await withMore({ ...projector, ...some }) }))).toContain(
      'missing: blocks.1.attn.k_norm.bias [4]',
    )
  })

  test('of LightningDiT run with rotary positions where its configuration says so', async () => {
    const transport = { path_type: 'Linear', prediction: 'velocity' }
    const config = (model: Record<string, boolean>) => stateFile({ config: { model, transport } })
    const plain = await drawn(await config({ use_rope: false }))
    expect(plain.latents).toEqual((await drawn(await sit())).latents)
    const turned = await drawn(await config({ use_rope: true }))
    expect(turned.latents).not.toEqual(plain.latents)
  })

  test('of JiT with other noise are refused, and told by dit info', async () => {
    const file = await stateFile({
      key: 'model_ema1',
      weights: new Map(
        [...(await withMore({ 'x_embedder.proj1.weight': [3, 4, 2, 2], in_context_posemb: [1, 2, 8] }))].map(
          ([name, value]) => [`net.${name}`, value],
        ),
      ),
      args: { model: 'JiT-B/16', t_eps: 0.05, noise_scale: 2 },
    })
    const needs = "these are JiT's and need noise of scale 2, which is not built yet"
    expect(await refusal(file)).toBe(`dit: FILE: ${needs}`)
    const { code, stdout } = await runDit(['info', file])
    expect(code).toBe(0)
    expect(stdout).toContain('written by the training program of JiT')
    expect(stdout).toContain('trained as a flow: linear path, predicts x0; time 0 is noise and 1 is data')
    expect(stdout).toContain('hidden 8, depth 2')
    expect(stdout).toContain(`It cannot be loaded: ${needs}.\n`)
  })

  test('with names missing are refused by name', async () => {
    const all = [...(await tinyWeights())]
    const half = new Map(all.filter((_, i) => i % 2 === 0))
    expect(await refusal(await stateFile({ weights: half }))).toMatch(/^dit: FILE: .*\(missing: /)
  })
})

test('dit export says beside the graph that a network is of a flow', async () => {
  const exported = async (file: string, ...args: readonly string[]) => {
    const out = temporaryFolder()
    const flags = ['--heads', '2', '--quiet', ...args]
    expect(await runDit(['export', '--onnx', out, '--weights', file, ...flags])).toMatchObject({ code: 0, stderr: '' })
    return readFileSync(join(out, 'denoiser.onnx')).toString('latin1')
  }
  expect(await exported(await sit({ path_type: 'GVP' }))).toMatch(/dit\.process.*"interpolant":"gvp"/s)
  const bare = await stateFile({ key: null })
  expect(await exported(bare)).not.toContain('dit.process')
  expect(await exported(bare, '--process', 'flow')).toMatch(/dit\.process.*"interpolant":"linear"/s)
})

test('converted weights of a run that learns a flow give its samples', async () => {
  const folder = temporaryFolder()
  const process = { kind: 'flow', networkTime: 'towardsData', interpolant: 'vp', prediction: 'x0' } as const
  await makeTinyRun(join(folder, 'run'), process)
  const file = join(folder, 'run.safetensors')
  expect(await runDit(['convert', join(folder, 'run'), file, '--quiet'])).toMatchObject({ code: 0, stderr: '' })
  const pictures = async (...source: readonly string[]) => {
    const out = join(folder, `${source[0]}.png`)
    expect(await runDit(['sample', ...source, ...COMMON, '--out', out, '--npz'])).toMatchObject({ code: 0, stderr: '' })
    return (await readNpz(readFileSync(out.replace('.png', '.npz')))).get('arr_0')
  }
  expect(await pictures('--weights', file)).toEqual(await pictures('--run', join(folder, 'run')))
})

describe('recorded noise', () => {
  const draws = {
    dtype: 'F32',
    shape: [2, ...SHAPE],
    data: Float32Array.from({ length: 256 }, (_, i) => Math.cos(5 * i)),
  } as const

  test('comes from npy, npz and safetensors, for any batch', async () => {
    const folder = temporaryFolder()
    const file = await sit()
    const files = [
      ['a.npy', writeNpy(noise)],
      ['a.npz', writeNpz({ arr_0: noise, other: noise })],
      ['a.safetensors', writeSafetensors({ x: noise })],
    ] as const
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
    const step = join(folder, 'draws.npz')
    writeFileSync(step, writeNpz({ draws }))
    const flags = ['--sampler', 'sde', '--draws', step]
    const all: Float32Array[] = []
    for (const [name] of files) all.push((await drawn(file, ...flags, '--noise', join(folder, name))).latents)
    all.push((await drawn(file, ...flags, '--noise', join(folder, 'a.npy'), '--batch', '1')).latents)
    for (const other of all.slice(1)) expect(other).toEqual(all[0])
    expect((await drawn(file, '--sampler', 'sde')).latents).not.toEqual(all[0])
  })

  test('is refused where it does not fit', async () => {
    const folder = temporaryFolder()
    const file = await sit()
    const put = (name: string, bytes: Uint8Array) => {
      writeFileSync(join(folder, name), bytes)
      return join(folder, name)
    }
    const npy = put('a.npy', writeNpy(noise))
    expect(await refusal(file, '--sampler', 'sde', '--draws', npy)).toMatch(
      /--draws .*a\.npy: the array must have the shape of the samples, \[2, 2, 4, 4, 4\] \(got \[2, 4, 4, 4\]\)$/,
    )
    expect(await refusal(file, '--draws', npy)).toMatch(/a\.npy works only with --sampler sde, heun-sde, ddpm, ddim$/)
    const two = put('two.npz', writeNpz({ a: noise, b: noise }))
    expect(await refusal(file, '--noise', two)).toMatch(
      /the file must hold one array, or one named noise, draws, arr_0 \(it has a, b\)$/,
    )
    const endless = put('endless.npy', writeNpy({ ...noise, data: noise.data.map(() => Infinity) }))
    expect(await refusal(file, '--noise', endless)).toMatch(/every value must be finite$/)
    expect(await refusal(file, '--noise', put('a.txt', Uint8Array.of(1)))).toMatch(/must end in \.npy, \.npz or/)
    expect(await refusal(file, '--noise', put('bad.npy', Uint8Array.of(1)))).toMatch(/^dit: --noise .*bad\.npy: npy/)
    expect(await refusal(file, '--noise', join(folder, 'none.npy'))).toMatch(/cannot be read \(ENOENT\)$/)
  })
})

test.each([
  [['--diffusion-form', 'sigma'], '--diffusion-form works only with --sampler sde or heun-sde'],
  [['--last-step', 'mean', '--sampler', 'rk4'], '--last-step works only with --sampler sde or heun-sde'],
  [['--rtol', '0.1'], '--rtol works only with --sampler dopri5'],
  [['--rtol', '0', '--atol', '0', '--sampler', 'dopri5'], '--rtol must be above 0 if --atol is 0'],
  [['--last-step-size', '1', '--sampler', 'sde'], '--last-step-size 1 must be below 1, where the path starts'],
  [
    ['--last-step-size', '0.1', '--last-step', 'none', '--sampler', 'heun-sde'],
    '--last-step-size has no effect if --last-step is none; leave one of them out',
  ],
])('%j is refused', async (flags, message) => {
  expect(await refusal(await sit(), ...flags)).toBe(`dit: ${message}`)
})

test('a trajectory has the samples after every step, the last ones at its end', async () => {
  const file = await sit()
  const out = join(temporaryFolder(), 't.npz')
  for (const [flags, steps] of [
    [['--sampler', 'heun-sde', '--last-step', 'none'], 3],
    [['--sampler', 'dopri5', '--rtol', '0.01', '--atol', '0.01'], 3],
  ] as const) {
    const { latents } = await drawn(file, ...flags, '--trajectory', out, '--batch', '1', '--force')
    const { shape, data } = (await readNpz(readFileSync(out))).get('arr_0')!
    expect(shape).toEqual([steps, ...SHAPE])
    expect(data.slice(-latents.length)).toEqual(latents)
  }
})

test('weights that are not finite are told, and write nothing', async () => {
  const weights = new Map(await tinyWeights())
  const name = 'final_layer.linear.bias'
  const { shape, data } = weights.get(name)!
  weights.set(name, { shape, data: data.map((value, i) => (i === 1 ? NaN : value)) })
  const out = join(temporaryFolder(), 'l.npz')
  const file = await stateFile({ weights, args: { path_type: 'Linear', prediction: 'velocity' } })
  const { code, stderr } = await runDit(['sample', '--weights', file, ...COMMON, '--heads', '2', '--latents', out])
  expect(code).toBe(1)
  expect(stderr).toContain(
    'the weights must be finite, but value 1 of final_layer.linear.bias is NaN: the training diverged',
  )
  expect(existsSync(out)).toBe(false)
})
