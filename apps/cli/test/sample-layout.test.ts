import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readNpz } from '@dit/checkpoint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FLOW_SAMPLERS } from '@dit/pipeline'
import { runDit } from './support/run-dit.js'
import { TINY, TINY_FLOW } from './support/tiny-flags.js'

let folder: string
let flow: string
let gaussian: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dit-cli-'))
  flow = join(folder, 'flow')
  gaussian = join(folder, 'gaussian')
  await runDit(['train', ...TINY_FLOW, '--lr=0.03', '--steps=8', '--out', flow, '--quiet'])
  await runDit(['train', ...TINY, '--lr=0.03', '--steps=8', '--checkpoint-every=4', '--out', gaussian, '--quiet'])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
const sample = (run: string, ...args: string[]) =>
  runDit(['sample', '--run', run, '--count=1', '--classes=1', '--backend=reference', ...args])

/** The values of a picture, as the model makes them. */
async function drawn(run: string, ...args: string[]): Promise<string> {
  const file = join(folder, `${++count}.npz`)
  const result = await sample(
    run,
    '--raw',
    '--no-clip',
    '--latents',
    file,
    '--out',
    join(folder, `${count}.png`),
    ...args,
  )
  expect({ ...result, stderr: result.stderr.replace(/^dit: --spacing beta: .*suits .*\n/, '') }).toMatchObject({
    code: 0,
    stderr: '',
  })
  const values = (await readNpz(readFileSync(file))).get('arr_0')!.data as Float32Array
  expect(values.every(Number.isFinite)).toBe(true)
  return values.join(' ')
}

test.each(['heun', 'unipc'])('%s knows the shift and the spacing of a flow', async (sampler) => {
  const name = ['--steps=3', '--sampler', sampler]
  const pictures = await drawn(flow, ...name)
  expect(await drawn(flow, ...name, '--spacing=linspace')).toBe(pictures)
  const others = [await drawn(flow, ...name, '--shift=3'), await drawn(flow, ...name, '--spacing=karras')]
  expect(new Set([pictures, ...others]).size).toBe(3)
})

test('a run trained on shifted times is sampled on them', async () => {
  const shifted = join(folder, 'shifted')
  await runDit(['train', ...TINY_FLOW, '--time-shift=3', '--lr=0.03', '--steps=4', '--out', shifted, '--quiet'])
  expect(await drawn(shifted, '--steps=2')).toBe(await drawn(shifted, '--steps=2', '--shift=3'))
  expect(await drawn(shifted, '--steps=2')).not.toBe(await drawn(shifted, '--steps=2', '--shift=1'))
  expect((await sample(shifted, '--steps=2', '--out', join(folder, 's.png'))).stdout).toMatch(
    /midpoint 2 steps, shift 3, guidance 1/,
  )
})

test('each spacing makes another picture, and the record tells it', async () => {
  const spacings = ['leading', 'linspace', 'trailing', 'karras', 'exponential', 'beta']
  for (const [sampler, names] of [
    ['unipc', spacings],
    ['ddpm', spacings.slice(0, 3)],
  ] as const) {
    const seen = new Set<string>()
    for (const name of names) {
      seen.add(await drawn(gaussian, '--steps=3', '--sampler', sampler, '--spacing', name))
    }
    expect(seen.size).toBe(names.length)
  }
  // The path solvers' own spacing is trailing.
  expect(await drawn(gaussian, '--steps=3', '--sampler=unipc', '--spacing=trailing')).toBe(
    await drawn(gaussian, '--steps=3', '--sampler=unipc'),
  )
  expect(await drawn(gaussian, '--steps=3', '--sampler=heun', '--spacing=exponential')).toBe(
    await drawn(gaussian, '--steps=3', '--sampler=heun'),
  )
  const poor = await sample(
    gaussian,
    '--steps=3',
    '--sampler=heun',
    '--spacing=trailing',
    '--out',
    join(folder, 'p.png'),
  )
  expect(poor.stderr).toMatch(
    /^dit: --spacing trailing: this process begins with 406 times as much noise as signal, and heun becomes inexact there; exponential suits heun better\n$/,
  )
  const args = ['--steps=2', '--sampler=deis', '--spacing=karras', '--out', join(folder, 'told.png')]
  expect((await sample(gaussian, ...args)).stdout).toContain('deis 2 steps, spacing karras, guidance 1, seed 0')
  const events = (await sample(gaussian, ...args, '--json')).stdout.trim().split('\n')
  expect(JSON.parse(events.at(-1)!)).toMatchObject({ type: 'end', spacing: 'karras' })
  const plain = (await sample(gaussian, '--steps=2', '--out', join(folder, 'told.png'), '--json')).stdout
  expect(JSON.parse(plain.trim().split('\n').at(-1)!)).not.toHaveProperty('spacing')
})

test('guidance can be of a part of the levels, and give contrast back', async () => {
  const args = ['--steps=3', '--guidance=3']
  const whole = await drawn(gaussian, ...args)
  const none = await drawn(gaussian, '--steps=3')
  expect(await drawn(gaussian, ...args, '--guidance-interval=0,1e9')).toBe(whole)
  expect(await drawn(gaussian, ...args, '--guidance-interval=1e8,1e9')).toBe(none)
  expect(new Set([whole, none, await drawn(gaussian, ...args, '--guidance-interval=0,1')]).size).toBe(3)
  expect(await drawn(gaussian, ...args, '--guidance-rescale=0.7')).not.toBe(whole)
  expect(await drawn(flow, ...args, '--guidance-interval=0.1,2')).not.toBe(await drawn(flow, ...args))
})

test('the record tells what guidance was asked for', async () => {
  const out = ['--out', join(folder, 'guided.png')]
  const flags = ['--guidance-interval=0,5', '--guidance-rescale=0.5', '--null-class=0']
  expect((await sample(gaussian, '--steps=2', '--guidance=3', ...flags, ...out)).stdout).toContain(
    'guidance 3 where sigma / alpha is 0 to 5, rescaled by 0.5 away from class 0, seed 0',
  )
  const { code, stderr } = await sample(gaussian, '--null-class=0', ...out)
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: 'dit: --null-class changes guidance, but there is none; give --guidance as well\n',
  })
})

test('a weaker model can guide in place of no class', async () => {
  const args = ['--steps=3', '--guidance=3']
  const plain = await drawn(gaussian, '--steps=3')
  // A model as strong as itself changes nothing; an early checkpoint does.
  expect(await drawn(gaussian, ...args, '--guide', gaussian)).toBe(plain)
  const early = join(gaussian, 'checkpoints', 'step-0000004')
  const guided = await drawn(gaussian, ...args, '--guide', early)
  expect(guided).not.toBe(plain)
  expect(guided).not.toBe(await drawn(gaussian, ...args))
  const told = await sample(gaussian, ...args, '--guide', early, '--out', join(folder, 'guided.png'))
  expect(told.stdout).toMatch(/\nguide {2}.*gaussian, step 4, averaged weights\n/)
  const refused = await sample(gaussian, ...args, '--guide', flow)
  expect(refused).toMatchObject({
    code: 2,
    stderr: `dit: --guide ${flow} must fit the model that it guides, but its process has kind "flow", not "gaussian"\n`,
  })
  const small = join(folder, 'small')
  await runDit(['train', ...TINY, '--size=4', '--steps=1', '--out', small, '--quiet'])
  expect((await sample(gaussian, ...args, '--guide', small)).stderr).toContain(
    'but its pictures are 3 x 4 x 4, not 3 x 8 x 8',
  )
})

describe('what cannot be is refused with the reason', () => {
  const flows = FLOW_SAMPLERS.join(', ')
  test.each([
    ['ddpm', 'ddpm needs the timesteps of a Gaussian diffusion; for fresh noise on a flow use euler-a or sde'],
    ['ddim', 'on a flow ddim is the same as euler, and with noise as euler-a'],
    ['dpm', 'dpmpp-2m is the same method on a flow'],
    ['plms', 'plms needs equally spaced timesteps; lms works on any path'],
  ])('%s on a flow', async (sampler, reason) => {
    expect(await sample(flow, '--sampler', sampler)).toMatchObject({
      code: 2,
      stderr: `dit: --sampler ${sampler}: the model was trained as a flow, which can use ${flows}; ${reason}\n`,
    })
  })

  test.each(['midpoint', 'rk4', 'dopri5', 'sde'])('%s on a Gaussian diffusion', async (sampler) => {
    const { code, stderr } = await sample(gaussian, '--sampler', sampler)
    expect(code).toBe(2)
    expect(stderr).toContain('the model was trained as a Gaussian diffusion, which can use ddpm, ddim, dpm, euler')
    expect(stderr).toMatch(
      sampler === 'sde' ? /sde solves the SDE of a flow/ : /needs times between two steps, which only a flow/,
    )
  })

  test.each<[kind: 'flow' | 'gaussian', args: string[], message: string]>([
    [
      'gaussian',
      ['--spacing=even'],
      '--spacing even must be one of leading, linspace, trailing, karras, exponential, beta',
    ],
    [
      'flow',
      ['--spacing=trailing'],
      '--spacing trailing: a flow has no timesteps; use one of linspace, karras, exponential, beta',
    ],
    [
      'gaussian',
      ['--spacing=karras'],
      '--spacing karras: its steps lie between timesteps, but ddpm works only at timesteps; use leading, linspace or trailing',
    ],
    [
      'gaussian',
      ['--sampler=plms', '--spacing=beta'],
      '--spacing beta: plms needs equally spaced timesteps; use leading, linspace or trailing, or --sampler lms with any spacing',
    ],
    ['gaussian', ['--shift=3'], '--shift 3 works only for a flow; for a Gaussian diffusion use --spacing'],
    ['flow', ['--sampler=dopri5', '--shift=2'], '--shift 2: dopri5 chooses its own steps; leave the option out'],
    [
      'flow',
      ['--sampler=dopri5', '--spacing=karras'],
      '--spacing karras: dopri5 chooses its own steps; leave the option out',
    ],
    ['flow', ['--shift=0'], "option '--shift <s>' argument '0' is invalid. It must be above 0."],
    [
      'gaussian',
      ['--sampler=dpm', '--steps=20'],
      '--steps 20: dpm with linspace spacing needs one timestep more than it has steps; it can take at most 19 steps of 20',
    ],
    [
      'gaussian',
      ['--sampler=unipc', '--spacing=leading', '--steps=20'],
      '--steps 20: unipc with leading spacing needs one timestep more than it has steps; it can take at most 19 steps of 20',
    ],
    ['gaussian', ['--steps=21'], '--steps 21 is more than the 20 timesteps the model was trained with'],
    [
      'gaussian',
      ['--guidance-interval=0,1'],
      '--guidance-interval changes guidance, but there is none; give --guidance as well',
    ],
    [
      'flow',
      ['--guidance-rescale=0.7'],
      '--guidance-rescale changes guidance, but there is none; give --guidance as well',
    ],
    [
      'flow',
      ['--guidance=2', '--guidance-interval=3,1'],
      "argument '3,1' is invalid. It must be two numbers, 0 or more, the smaller first, such as 0.3,5.",
    ],
    ['flow', ['--guide=x'], '--guide x changes guidance, but there is none; give --guidance as well'],
    [
      'flow',
      ['--guidance=2', '--guide=x', '--guidance-rescale=0.5'],
      '--guidance-rescale is for guidance by the null class, but --guide guides by a weaker model; leave one of them out',
    ],
    ['flow', ['--guidance=2', '--guidance-rescale=2'], "argument '2' is invalid. It must be from 0 to 1."],
  ])('%s %j', async (kind, args, message) => {
    const { code, stderr } = await sample(kind === 'flow' ? flow : gaussian, ...args)
    expect(stderr).toContain(message)
    expect(code).toBe(2)
  })

  test('dpm takes one step less than there are timesteps, of itself', async () => {
    const { code, stdout } = await sample(gaussian, '--sampler=dpm', '--out', join(folder, 'dpm.png'))
    expect(code).toBe(0)
    expect(stdout).toContain('dpm 19 steps')
  })
})
