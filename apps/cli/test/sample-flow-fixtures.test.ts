import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readNpz, readSafetensors, writeNpy } from '@dit/checkpoint'
import { writeTorchFile } from '@dit/checkpoint/node'
import { expect } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { type Weights, writeState } from './support/training-state.js'

/** The whole set of reference cases, which is too large for the repository: networks of SiT with their noise and trajectories. */
const set = process.env['DIT_FIXTURES_FLOW'] ?? join(import.meta.dirname, '../../../../shared/fixtures-flow')
const test = testNeeding('fixtures', existsSync(join(set, 'manifest.json')), `no reference cases in ${set}`)

/** Path and prediction of SiT's arguments, and what `dit sample` is told to take the reference's steps. */
const CASES: readonly (readonly [string, string, string, readonly string[]])[] = [
  ['ode-sit-euler-cfg4', 'Linear', 'velocity', ['--sampler', 'euler', '--steps', '7', '--guidance', '4']],
  ['ode-sit-heun2-cfg1p5', 'GVP', 'velocity', ['--sampler', 'heun', '--steps', '4', '--guidance', '1.5']],
  ['ode-sit-dopri5', 'Linear', 'velocity', ['--sampler', 'dopri5', '--steps', '2']],
  [
    'sde-sit-euler-cfg2',
    'Linear',
    'velocity',
    ['--sampler', 'sde', '--steps', '6', '--guidance', '2', '--last-step', 'mean'],
  ],
  ['sde-sit-heun-score', 'Linear', 'score', ['--sampler', 'heun-sde', '--steps', '5', '--diffusion-form', 'sbdm']],
]

for (const [name, path, prediction, flags] of CASES) {
  test(`${name}: SiT's weights give the reference's trajectory, bare and from a training checkpoint`, async () => {
    const reference = await readCase(name, flags.includes('--guidance'))
    const folder = temporaryFolder()
    const [bare, state] = [join(folder, 'SiT.pt'), join(folder, 'checkpoint.pt')]
    await writeTorchFile(bare, new Map([...reference.weights].map(([key, array]) => [key, { dtype: 'F32', ...array }])))
    await writeState(state, { weights: reference.weights, args: { path_type: path, prediction, image_size: 256 } })
    const given = recordedFlags(folder, reference)

    const fromState = await sampled(folder, ['--weights', state, ...flags, ...given])
    const asked = ['--process', 'flow', '--path', path.toLowerCase(), '--predict', prediction]
    const fromBare = await sampled(folder, ['--weights', bare, ...asked, ...flags, ...given])
    expect(fromBare).toEqual(fromState)

    const { steps, last } = fromState
    // An ODE's trajectory has its start, too.
    const wanted = reference.trajectory.slice(name.startsWith('ode') ? 1 : 0)
    expect(steps).toHaveLength(wanted.length)
    for (const [i, { values, tolerance }] of wanted.entries()) {
      expect(largestDifference(steps[i], values), `step ${i}`).toBeLessThanOrEqual(tolerance)
    }
    expect(last).toEqual(steps.at(-1))
  })
}

interface Block {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

interface Reference {
  readonly weights: Weights
  readonly classes: readonly number[]
  readonly start: Block
  readonly draws: Block | null
  readonly trajectory: readonly { readonly values: Float32Array; readonly tolerance: number }[]
}

/** SiT guides a batch [z; z] with classes, then null classes; `dit sample` does the doubling itself, so half is left of it. */
async function readCase(name: string, isGuided: boolean): Promise<Reference> {
  const file = readSafetensors(readFileSync(join(set, `flow-sampling/${name}.safetensors`)))
  const read = async (key: string): Promise<Block> => {
    const { shape } = file.entries.get(key)!
    return { shape, data: await file.float32(key) }
  }
  const weights = new Map<string, Block>()
  for (const key of file.entries.keys()) {
    if (key.startsWith('model.')) weights.set(key.slice('model.'.length), await read(key))
  }
  const start = await read('in.x_init')
  const count = isGuided ? start.shape[0] / 2 : start.shape[0]
  const { data: labels } = await file.tensor('in.y')
  // That in float64, where the case has one.
  const wanted = file.entries.has('ref64.trajectory') ? 'ref64.trajectory' : 'out.trajectory'
  const out = firstSamples(await read(wanted), count, 1)
  const size = out.data.length / out.shape[0]
  return {
    weights,
    classes: Array.from(labels as Int32Array).slice(0, count),
    start: firstSamples(start, count, 0),
    draws: file.entries.has('in.noise') ? firstSamples(await read('in.noise'), count, 1) : null,
    trajectory: tolerancesOf(name).map((tolerance, step) => ({
      tolerance,
      values: out.data.subarray(step * size, (step + 1) * size),
    })),
  }
}

function tolerancesOf(name: string): readonly number[] {
  const { cases } = JSON.parse(readFileSync(join(set, 'manifest.json'), 'utf8')) as {
    cases: { name: string; tensors: { name: string; tolerance?: { atol_per_step: number[] } }[] }[]
  }
  const { tensors } = cases.find((entry) => entry.name === name)!
  return tensors.find((tensor) => tensor.name === 'out.trajectory')!.tolerance!.atol_per_step
}

/** The first samples of an array whose axis `axis` counts them. */
function firstSamples({ shape, data }: Block, count: number, axis: number): Block {
  const size = shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  const outer = axis === 0 ? 1 : shape[0]
  const kept = new Float32Array(outer * count * size)
  for (let i = 0; i < outer; i++) {
    const from = i * shape[axis] * size
    kept.set(data.subarray(from, from + count * size), i * count * size)
  }
  return { shape: shape.with(axis, count), data: kept }
}

function recordedFlags(folder: string, { start, draws, classes }: Reference): string[] {
  const written = (name: string, block: Block) => {
    const file = join(folder, `${name}.npy`)
    writeFileSync(file, writeNpy({ dtype: 'F32', ...block }))
    return [`--${name}`, file]
  }
  const recorded = [...written('noise', start), ...(draws === null ? [] : written('draws', draws))]
  return [...recorded, '--classes', classes.join(), '--count', '1']
}

async function sampled(folder: string, args: readonly string[]) {
  const [trajectory, latents] = [join(folder, 'trajectory.npz'), join(folder, 'latents.npz')]
  const outputs = ['--trajectory', trajectory, '--latents', latents, '--quiet']
  const common = ['--heads', '2', '--no-clip', '--backend', 'reference']
  const { code, stderr } = await runDit(['sample', ...args, ...common, ...outputs])
  expect({ code, stderr: stderr.replaceAll(/^dit: assumed.*\n/gm, '') }).toEqual({ code: 0, stderr: '' })
  const read = async (file: string) => (await readNpz(readFileSync(file))).get('arr_0')!
  const { shape, data } = await read(trajectory)
  const size = data.length / shape[0]
  const steps = Array.from({ length: shape[0] }, (_, i) => Array.from(data.slice(i * size, (i + 1) * size), Number))
  return { steps, last: Array.from((await read(latents)).data, Number) }
}

function largestDifference(a: readonly number[], b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0)
}
