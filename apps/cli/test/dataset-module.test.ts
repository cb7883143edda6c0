import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Dataset } from '@dit/data'
import { describe, expect, test } from 'vitest'
import type { RunConfig } from '../src/run/run-config.js'
import { runDit, temporaryFolder } from './support/run-dit.js'

const STRIPES = fileURLToPath(new URL('../../../docs/examples/stripes.mjs', import.meta.url))
const TINY = ['--hidden', '8', '--depth', '1', '--heads', '2', '--patch', '4', '--size', '8']
const ENGINE = ['--backend', 'reference', '--batch', '4', '--sample-every', 'none']
const SHORT = [...TINY, ...ENGINE, '--steps', '2']

/** A module that needs no packages: pictures of one colour. */
const PLAIN = `export const dataset = ({ size }) => ({
  length: 40,
  classes: ['dark', 'light'],
  shape: [3, size, size],
  async read(indices) {
    const x0 = new Float32Array(indices.length * 3 * size * size)
    for (let i = 0; i < indices.length; i++) x0.fill(indices[i] % 2 ? 0.5 : -0.5, i * 3 * size * size, (i + 1) * 3 * size * size)
    return { x0, labels: Int32Array.from(indices, (index) => index % 2) }
  },
})
`

function moduleOf(text: string, path = join(temporaryFolder(), 'mine.mjs')): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

const configOf = (run: string) => JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as RunConfig

describe('dit train --data <module>', () => {
  test('trains on pictures that the module makes, holds some out, and dit info knows them', async () => {
    const run = join(temporaryFolder(), 'run')
    const held = ['--val-share', '0.2', '--val-every', '2']
    const trained = await runDit(['train', '--data', moduleOf(PLAIN), ...SHORT, ...held, '--out', run])
    expect({ code: trained.code, stderr: trained.stderr }).toEqual({ code: 0, stderr: '' })
    expect(configOf(run)).toMatchObject({ data: { kind: 'dataset', size: 8, length: 40 }, classes: ['dark', 'light'] })
    expect((await runDit(['info', run])).stdout).toMatch(/40 pictures from .*mine\.mjs, 8x8; 2 classes: dark, light/)
    expect((await runDit(['plot', run])).code).toBe(0)
  })

  test('resumes while the module makes the same pictures, wherever it lies', async () => {
    const folder = temporaryFolder()
    const [run, first] = [join(folder, 'run'), moduleOf(PLAIN)]
    await runDit(['train', '--data', first, ...SHORT, '--decay', 'constant', '--out', run])
    rmSync(first)
    const gone = await runDit(['train', '--resume', run, '--steps', '4'])
    expect(gone.code).toBe(2)
    expect(gone.stderr).toMatch(/the run's pictures came from .*mine\.mjs, which is gone; give the module with --data/)
    const moved = moduleOf(`${PLAIN}// a remark\n`)
    expect((await runDit(['train', '--resume', run, '--steps', '4', '--data', moved])).code).toBe(0)
    const other = moduleOf(PLAIN.replace('0.5 :', '0.25 :'))
    const refused = await runDit(['train', '--resume', run, '--steps', '6', '--data', other])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('the module makes other pictures than at the beginning')
  })

  test('the example draws what it says, the same at every reading, mirrored on request', async () => {
    const { dataset } = (await import(STRIPES)) as { dataset: (context: { size: number }) => Dataset }
    const stripes = dataset({ size: 8 })
    const [one, two, mirrored] = [
      await stripes.read([5]),
      await stripes.read([5]),
      await stripes.read([5], { flips: [1] }),
    ]
    expect(one).toEqual(two)
    expect(Array.from(mirrored.x0.subarray(0, 8))).toEqual(Array.from(one.x0.subarray(0, 8)).toReversed())
    expect(stripes.labels!().subarray(0, 4)).toEqual(Int32Array.of(0, 1, 0, 1))
  })

  test('is counted by dit plan, and judged by dit eval', async () => {
    const plan = await runDit(['plan', '--data', moduleOf(PLAIN), ...TINY, '--epochs', '2', '--batch', '4'])
    expect({ code: plan.code, stderr: plan.stderr }).toEqual({ code: 0, stderr: '' })
    expect(plan.stdout).toContain('2 classes')
    const [module, other] = [moduleOf(PLAIN.replace('40', '20')), moduleOf(PLAIN.replace('40', '24'))]
    const out = join(temporaryFolder(), 'evaluation')
    const options = ['--size', '8', '--measures', 'kid', '--backend', 'reference', '--out', out]
    const judged = await runDit(['eval', module, '--data', other, ...options])
    expect(judged.code).toBe(0)
    expect(judged.stdout).toContain('kernel distance')
  })

  test.each([
    ['that is not there', 'nowhere', /--data nowhere\.mjs: there is no such file/],
    ['without a data set', 'export const nothing = 1', /the module must export `dataset`, .* \(it exports nothing\)/],
    ['that is no module', 'this is no module', /cannot import the module: /],
    [
      'of a package that is not there',
      "import 'no-such-package'",
      /Cannot find package 'no-such-package'.*; install it in the folder of the module: npm install no-such-package/,
    ],
    [
      'whose function throws',
      'export const dataset = () => { throw new Error("no luck") }',
      /dataset failed: no luck \(mine\.mjs:1:\d+\)/,
    ],
    [
      'of other shape',
      PLAIN.replace('[3, size, size]', '[3, 16, 16]'),
      /dataset\.shape must be \[3, 8, 8\] for --size 8 \(got \[3,16,16\]\)/,
    ],
    [
      'without pictures',
      PLAIN.replace('length: 40', 'length: 0'),
      /dataset\.length must be a positive whole number \(got 0\)/,
    ],
    [
      'without classes',
      PLAIN.replace("['dark', 'light']", '[]'),
      /dataset\.classes must be a list of names \(got \[\]\)/,
    ],
    [
      'without read',
      PLAIN.replace('async read', 'async reed'),
      /dataset must have a function read\(indices, options\)/,
    ],
    ['out of range', PLAIN.replace('0.5 :', '5 :'), /dataset\.read must give values from -1 to 1 \(got 5\)/],
    [
      'of unknown classes',
      PLAIN.replace('index % 2)', 'index)'),
      /dataset\.read must give labels from 0 to 1 \(got 2\)/,
    ],
    [
      'of untyped labels',
      PLAIN.replace('Int32Array.from', 'Array.from'),
      /dataset\.read must give labels as an Int32Array of 16 classes \(got object\)/,
    ],
    [
      'that draws by chance',
      PLAIN.replace('0.5 :', 'Math.random() :'),
      /gives other pictures for the same indices; draw them from the index alone/,
    ],
    [
      'whose read throws',
      PLAIN.replace('return {', 'throw new Error("no ink")\n return {'),
      /dataset\.read failed: no ink \(mine\.mjs:8:\d+\)/,
    ],
  ])('a module %s is refused', async (_, text, message) => {
    const data = text === 'nowhere' ? 'nowhere.mjs' : moduleOf(text)
    const { code, stderr } = await runDit(['train', '--data', data, ...SHORT, '--out', join(temporaryFolder(), 'run')])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })

  test.each([
    [['--background', 'white'], /--background is for folders of pictures, but the data are those of .*mine\.mjs/],
    [['--class-names', 'x.json'], /--class-names x\.json: it is for tar shards, .*; the module names its classes/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await runDit(['train', '--data', moduleOf(PLAIN), ...SHORT, ...args])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})
