import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeNpy } from '@dit/checkpoint'
import { expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

/** `TINY` without its process. */
const BARE = TINY.filter((flag) => !flag.startsWith('--timesteps') && !flag.startsWith('--schedule'))
const process = (out: string) =>
  (JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as { objective: { process: object } }).objective.process
const log = (out: string) => readFileSync(join(out, 'log.jsonl'), 'utf8')
const train = (out: string, ...args: string[]) => runDit(['train', ...BARE, '--steps=2', '--out', out, ...args])

test('a schedule with its ends and a loss weight are of the run, and a resume keeps them', async () => {
  const out = join(temporaryFolder(), 'run')
  const flags = ['--schedule=quad', '--timesteps=20', '--beta-end=0.2', '--loss-weight=min-snr']
  const first = await train(out, ...flags)
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toMatch(/lossWeight +min-snr:5/)
  expect(process(out)).toMatchObject({ schedule: 'quad', betaEnd: 0.2, lossWeight: { minSnr: 5 } })
  const same = await runDit(['train', '--resume', out, '--loss-weight=min-snr:5.0', '--steps=2'])
  expect(same.code).toBe(0)
  const other = await runDit(['train', '--resume', out, '--loss-weight=p2', '--beta-end=0.3'])
  expect(other.code).toBe(2)
  expect(other.stderr).toContain(
    '--beta-end 0.3 (the run has 0.2), --loss-weight p2:1,1 (the run has min-snr:5); leave them out',
  )
  expect((await runDit(['info', out])).stdout).toContain('quad schedule of 20 timesteps, loss weight min-snr:5')
  const sampled = await runDit(['sample', '--run', out, '--count=1', '--steps=2', '--backend=reference'])
  expect(sampled).toMatchObject({ code: 0, stderr: '' })
})

test('a run without a weight is as it was, and its losses are not those of a weighted one', async () => {
  const folder = temporaryFolder()
  const [absent, none, weighted] = ['absent', 'none', 'weighted'].map((name) => join(folder, name))
  await train(absent, '--timesteps=40')
  await train(none, '--timesteps=40', '--loss-weight=none')
  await train(weighted, '--timesteps=40', '--loss-weight=p2')
  expect(process(none)).toEqual(process(absent))
  expect(process(absent)).not.toHaveProperty('lossWeight')
  expect(log(none)).toBe(log(absent))
  expect(log(weighted)).not.toBe(log(absent))
})

test('betas come from a JSON list or an .npy file', async () => {
  const folder = temporaryFolder()
  const betas = [0.1, 0.2, 0.3, 0.4]
  const [json, npy] = [join(folder, 'betas.json'), join(folder, 'betas.npy')]
  writeFileSync(json, JSON.stringify(betas))
  writeFileSync(npy, writeNpy({ dtype: 'F64', shape: [4], data: Float64Array.from(betas) }))
  const [one, two] = [join(folder, 'one'), join(folder, 'two')]
  expect(await train(one, '--betas', json)).toMatchObject({ code: 0, stderr: '' })
  await train(two, '--betas', npy)
  expect(process(one)).toMatchObject({ betas })
  expect(log(two)).toBe(log(one))
  expect((await runDit(['train', '--resume', one, '--betas', npy, '--steps=2'])).code).toBe(0)
  writeFileSync(npy, writeNpy({ dtype: 'F64', shape: [1], data: Float64Array.of(0.5) }))
  const refused = await runDit(['train', '--resume', one, '--betas', npy])
  expect(refused.stderr).toContain('--betas [0.5] (the run has [0.1,0.2,0.3,0.4])')
})

test('betas that end in 1 are taken where they are given and x0 is predicted', async () => {
  const folder = temporaryFolder()
  const [out, betas] = [join(folder, 'run'), join(folder, 'betas.json')]
  writeFileSync(betas, JSON.stringify([0.1, 0.3, 0.6, 1]))
  expect(await train(out, '--betas', betas, '--predict=x0')).toMatchObject({ code: 0, stderr: '' })
  const sample = (...args: string[]) =>
    runDit(['sample', '--run', out, '--count=1', '--classes=1', '--backend=reference', ...args])
  for (const sampler of ['ddpm', 'euler-a']) {
    expect(await sample(`--sampler=${sampler}`), sampler).toMatchObject({ code: 0, stderr: '' })
  }
  for (const sampler of ['dpmpp-2m', 'unipc']) {
    const { code, stderr } = await sample(`--sampler=${sampler}`)
    expect(stderr).toContain('alpha must be above 0 along the path, for this solver divides by it; begin a flow')
    expect(code).not.toBe(0)
  }
  const { stderr } = await sample('--sampler=dpm')
  expect(stderr).toContain(
    'dpmMultistep: alpha must be above 0 along the path, for this solver divides by it; begin a flow',
  )
  const spread = await sample('--sampler=euler', '--spacing=karras')
  expect(spread.stderr).toContain('karras spreads sigmas, but this process ends without signal')
  expect(spread.code).toBe(2)
})

test('says what is wrong with betas and schedules', async () => {
  const folder = temporaryFolder()
  const file = (name: string, contents: string | Uint8Array) => {
    writeFileSync(join(folder, name), contents)
    return join(folder, name)
  }
  const cases: [string[], string][] = [
    [['--betas', join(folder, 'none.json')], "'--betas <file>' argument"],
    [['--betas', file('text', 'beta')], 'The file must be an .npy file or a JSON list of numbers.'],
    [['--betas', file('words.json', '["a"]')], 'The file must be an .npy file or a JSON list of numbers.'],
    [['--betas', file('empty.json', '[]')], 'The list is empty.'],
    [
      ['--betas', file('two.npy', writeNpy({ dtype: 'F64', shape: [1, 1], data: Float64Array.of(0.1) }))],
      'must have one axis',
    ],
    [
      ['--betas', file('nan.npy', writeNpy({ dtype: 'F64', shape: [2], data: Float64Array.of(0.1, NaN) }))],
      'betas must lie in (0, 1]',
    ],
    [['--betas', file('two.json', '[0.1, 2]')], '--betas must lie in (0, 1] (betas[1] of 2 is 2)'],
    [['--betas', file('whole.json', '[0.5, 1]'), '--predict', 'epsilon'], 'alphaBar must stay above 0'],
    [['--betas', file('fine.json', '[0.1]'), '--timesteps=4'], '--betas replaces --timesteps'],
    [
      ['--timesteps=20', '--schedule=linear'],
      '--timesteps 20: the linear schedule needs at least 21 timesteps, because its last beta, 1, must be below 1; if you want betas that end at 1, give them with --betas',
    ],
    [['--timesteps=20', '--schedule=linear', '--predict=x0'], 'the linear schedule needs at least 21 timesteps'],
    [
      ['--timesteps=16', '--schedule=linear'],
      'the linear schedule needs at least 21 timesteps, because its last beta, 1.25, must be below 1',
    ],
    [['--schedule=cosine'], '--schedule must be one of linear, squaredcos_cap_v2, scaled_linear, quad'],
    [['--schedule=jsd', '--beta-end=0.1'], 'jsd has no --beta-end; leave it out'],
    [['--loss-weight=min'], "'--loss-weight <name>' argument 'min' is invalid. It must be none, min-snr[:gamma]"],
    [['--loss-weight=p2', '--loss=kl'], 'a loss weight is of the squared error, which loss type kl lacks'],
  ]
  for (const [args, message] of cases) {
    const { code, stderr } = await train(join(folder, 'run'), ...args)
    expect(stderr).toContain(message)
    expect(code).toBe(2)
  }
})
