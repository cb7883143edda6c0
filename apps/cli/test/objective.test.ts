import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseLog } from '@dit/train-ddp'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RunConfig } from '../src/run/run-config.js'
import { runDit, temporaryFolder } from './support/run-dit.js'

const MODULE = fileURLToPath(new URL('fixtures/circle.mjs', import.meta.url))
const ENGINE = ['--backend', 'reference', '--batch', '8', '--steps', '6']

async function fail(...args: readonly string[]): Promise<string> {
  const { code, stderr } = await runDit(['train', ...args])
  expect(code).toBe(2)
  return stderr
}

/** A changed copy of the module, where it finds the same packages; gone when the test ends. */
function moduleBeside(name: string, change: (text: string) => string): string {
  const path = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
  writeFileSync(path, change(readFileSync(MODULE, 'utf8')))
  onTestFinished(() => rmSync(path))
  return path
}

function moduleOf(name: string, text: string): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, text)
  return path
}

describe('dit train --objective', () => {
  test('trains a network and data of the module, and dit info and dit plot know the run', async () => {
    const run = join(temporaryFolder(), 'run')
    const trained = await runDit(['train', '--objective', MODULE, ...ENGINE, '--out', run])
    expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: '' })
    expect(trained.stdout).toMatch(/objective +.*circle\.mjs: \{"kind":"circle","hidden":16\}/)
    const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as RunConfig
    expect(config).toMatchObject({
      format: 'dit-run-2',
      objective: { kind: 'module', module: MODULE, spec: { kind: 'circle', hidden: 16 } },
      data: { kind: 'module' },
      classes: [],
      sampleEvery: null,
    })
    expect(parseLog(readFileSync(join(run, 'log.jsonl'), 'utf8'))).toHaveLength(6)
    const info = await runDit(['info', run])
    expect(info.stdout).toContain('of the module')
    expect((await runDit(['plot', run])).code).toBe(0)
    const sample = await runDit(['sample', '--run', run])
    expect(sample.code).toBe(2)
    expect(sample.stderr).toMatch(/sampling needs an objective made by `denoising`, .* that of .*circle\.mjs is not/)
  })

  test('resumes, tells of a module that has changed, and refuses one that computes something else', async () => {
    const folder = temporaryFolder()
    const run = join(folder, 'run')
    await runDit(['train', '--objective', MODULE, ...ENGINE, '--decay', 'constant', '--out', run])
    const resumed = await runDit(['train', '--resume', run, '--steps', '8'])
    expect(resumed).toMatchObject({ code: 0, stderr: '' })
    expect(resumed.stdout).toContain('resuming at step 6')
    const changed = moduleBeside('circle-changed.mjs', (text) => `${text}// a remark\n`)
    const moved = await runDit(['train', '--resume', run, '--steps', '9', '--objective', changed])
    expect(moved.code).toBe(0)
    expect(moved.stderr).toMatch(/circle-changed\.mjs has changed since the run began/)
    const wider = moduleBeside('circle-wider.mjs', (text) => text.replace('?? 16', '?? 32'))
    const refused = await runDit(['train', '--resume', run, '--steps', '10', '--objective', wider])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('hidden of the objective was 16 and is 32')
  })

  test('learns from pictures where the module has no data, and holds some out', async () => {
    const run = join(temporaryFolder(), 'run')
    const mine = fileURLToPath(new URL('fixtures/own-dit.mjs', import.meta.url))
    const options = ['--data', 'shapes', '--size', '8', '--val-share', '0.0001', '--val-every', '3']
    const { code, stderr } = await runDit(['train', '--objective', mine, ...options, ...ENGINE, '--out', run])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const measured = parseLog(readFileSync(join(run, 'log.jsonl'), 'utf8')).map(({ measures }) => measures?.heldOut)
    expect(measured.map((value) => value !== undefined)).toEqual([false, false, true, false, false, true])
  })

  test('its options reach the functions of the module, from a config file too, and a resumed run keeps them', async () => {
    const folder = temporaryFolder()
    const run = join(folder, 'run')
    const config = join(folder, 'own.json')
    const mine = fileURLToPath(new URL('fixtures/own-dit.mjs', import.meta.url))
    writeFileSync(
      config,
      JSON.stringify({ objective: mine, objectiveOptions: { hidden: 8 }, size: 8, decay: 'constant' }),
    )
    const trained = await runDit(['train', '--config', config, ...ENGINE, '--out', run])
    expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: '' })
    const { objective } = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as RunConfig
    expect(objective).toMatchObject({ options: { hidden: 8 }, spec: { network: { kind: 'mine', hidden: 8 } } })
    expect((await runDit(['train', '--resume', run, '--steps', '7'])).code).toBe(0)
    const other = await fail('--resume', run, '--steps', '8', '--objective-options', '{"hidden": 16}')
    expect(other).toContain('--objective-options {"hidden":16} (the run has {"hidden":8})')
  })

  test.each([
    [['--objective-options', '{"a": 1}'], '--objective-options needs --objective, the module that receives them'],
    [['--objective', MODULE, '--objective-options', '{a}'], 'It must be a JSON object: '],
    [['--objective', MODULE, '--objective-options', '[1]'], 'It must be a JSON object, such as {"channels": 32}.'],
  ])('%j is refused, as no options can be there', async (args, message) => {
    expect(await fail(...args)).toContain(message)
  })

  test('options that nothing receives are refused', async () => {
    const plain = moduleOf(
      'plain.mjs',
      "export const objective = { spec: {}, parameters: { w: { shape: [1] } }, terms: ['loss'], init() {}, losses() {} }",
    )
    const stderr = await fail('--objective', plain, '--objective-options', '{"a": 1}')
    expect(stderr).toContain(`\`objective\` of ${plain} is not a function, so nothing receives the options`)
  })

  test.each([
    [['--objective', 'nowhere.mjs'], /--objective nowhere\.mjs: this file does not exist/],
    [['--objective', MODULE, '--hidden', '8'], /--hidden describes a DiT, but --objective brings its own network/],
    [['--objective', MODULE, '--predict', 'x0'], /--predict describes a DiT, but/],
    [['--objective', MODULE, '--data', 'shapes'], /--data is for pictures, but the module .* exports its own data/],
    [
      ['--objective', MODULE, '--sample-every', '5'],
      /--sample-every is for networks that make pictures, but the module .* exports its own data/,
    ],
  ])('%j is refused', async (args, message) => {
    expect(await fail(...args)).toMatch(message)
  })

  test.each([
    ['export const nothing = 1', /the module must export `objective`/],
    ['export const objective = { spec: {} }', /objective: parameters must be a table/],
    ['export const objective = () => { throw new Error("no luck") }', /objective failed: no luck/],
    ['this is no module', /cannot import the module: /],
    [
      "import 'no-such-package'",
      /Cannot find package 'no-such-package'.*; install it in the folder of the module: npm install no-such-package/,
    ],
    [
      "export const objective = { spec: {}, parameters: { w: { shape: [1] } }, terms: ['loss'], init() {}, losses() {} }; export const data = 7",
      /data must have a function rows/,
    ],
  ])('a module that says %j is refused', async (text, message) => {
    expect(await fail('--objective', moduleOf('mine.mjs', text), '--out', join(temporaryFolder(), 'run'))).toMatch(
      message,
    )
  })
})

describe('dit train --val-share', () => {
  const tiny = ['--size', '8', '--hidden', '16', '--depth', '1', '--heads', '2', '--sample-every', 'none', ...ENGINE]

  test('measures in the log, the progress and dit info, and goes on with it', async () => {
    const run = join(temporaryFolder(), 'run')
    const options = ['--val-share', '0.0001', '--val-every', '2', '--checkpoint-every', '2', '--out', run]
    const { stdout } = await runDit(['train', ...tiny, ...options])
    expect(stdout).toMatch(/holding out 6 pictures and training on 59,994; measuring them every 2 steps/)
    expect(stdout).toMatch(/6\/6 .*held-out \d/)
    const log = readFileSync(join(run, 'log.jsonl'), 'utf8')
    const [last] = parseLog(log).slice(-1)
    expect(Object.keys(last.measures!)).toEqual([
      'heldOut',
      ...[100, 10, 1, 0.1, 0.01].map((snr) => `heldOutSnr${snr}`),
    ])
    expect((await runDit(['info', run])).stdout).toMatch(/held out +error \S+ at step 6; smallest \S+ at step \d/)
    expect((await runDit(['plot', run])).code).toBe(0)
    expect(readFileSync(join(run, 'plot.svg'), 'utf8')).toContain('held-out error')
  })

  test('is refused where it cannot be', async () => {
    expect(await fail('--val-share', '1')).toContain('It must be above 0 and below 1')
    expect(await fail('--val-every', '5')).toContain('--val-every needs --val-share')
    const circle = moduleOf('plain.mjs', readFileSync(MODULE, 'utf8').replaceAll(/from '@dit[^']*'/g, "from 'node:os'"))
    expect(await fail('--objective', circle, '--val-share', '0.1')).toMatch(/cannot import the module|--val-share/)
  })

  test('a resumed run keeps its share, and may change its period', async () => {
    const run = join(temporaryFolder(), 'run')
    await runDit(['train', ...tiny, '--decay', 'constant', '--val-share', '0.0001', '--out', run])
    const { stderr } = await runDit(['train', '--resume', run, '--val-share', '0.1'])
    expect(stderr).toContain('--val-share 0.1 (the run has 0.0001)')
    expect((await runDit(['train', '--resume', run, '--steps', '8', '--val-every', '1'])).code).toBe(0)
    const log = parseLog(readFileSync(join(run, 'log.jsonl'), 'utf8'))
    expect(log.filter(({ measures }) => measures !== undefined).map(({ step }) => step)).toEqual([6, 7, 8])
  })
})
