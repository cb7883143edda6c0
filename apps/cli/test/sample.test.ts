import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readNpz } from '@dit/checkpoint'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { textWidth } from '../src/plot/fonts.js'
import { runDit } from './support/run-dit.js'
import { stopDit } from './support/stop-dit.js'
import { TINY } from './support/tiny-flags.js'

let folder: string
let run: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dit-sample-'))
  run = join(folder, 'run')
  // Steep, so that a few steps leave a model whose output is not near 0.
  const steep = ['--lr', '0.03', '--warmup', '0', '--decay', 'constant']
  await runDit(['train', ...TINY, ...steep, '--steps', '12', '--out', run, '--quiet'])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Samples with `args`; the pixels of its npz. */
async function pixelsOf(name: string, args: readonly string[], source = ['--run', run]): Promise<string> {
  const out = join(folder, name)
  const { code, stderr } = await runDit([
    'sample',
    ...source,
    ...args,
    '--backend',
    'reference',
    '--out',
    `${out}.png`,
    '--npz',
    '--quiet',
  ])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { data } = (await readNpz(readFileSync(`${out}.npz`))).get('arr_0')!
  return Buffer.from(data as Uint8Array).toString('base64')
}

test('the grid, single files, npz and preview hold the pictures asked for', async () => {
  const out = join(folder, 'o', 'grid.png')
  const args = ['--classes', 'disc,crescent', '--count', '3', '--steps', '5', '--singles', '--npz', '--preview']
  const { code, stdout, stderr } = await runDit(['sample', '--run', run, ...args, '--out', out])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^engine cpu-(native|wasm) /)
  expect(readdirSync(join(folder, 'o')).toSorted()).toEqual(['grid', 'grid.npz', 'grid.png', 'grid.preview.png'])
  // Tiles of 64 + 4 pixels, a border of 4, and labels of 8 letters, as wide as they are in the fonts of the machine.
  const { width, height } = await sharp(out).metadata()
  const labels = Math.ceil(textWidth(['disc', 'crescent'], 13)) + 12
  expect({ width, height }).toEqual({ width: labels + 3 * 68 + 4, height: 2 * 68 + 4 })
  const arrays = await readNpz(readFileSync(join(folder, 'o', 'grid.npz')))
  expect([...arrays.keys()]).toEqual(['arr_0', 'arr_1'])
  expect(arrays.get('arr_1')).toMatchObject({ dtype: 'I64', data: BigInt64Array.of(0n, 0n, 0n, 5n, 5n, 5n) })
  const { dtype, shape, data } = arrays.get('arr_0')!
  expect({ dtype, shape }).toEqual({ dtype: 'U8', shape: [6, 8, 8, 3] })
  const singles = readdirSync(join(folder, 'o', 'grid'))
  expect(singles).toEqual([0, 1, 2].map((i) => `000${i}-disc.png`).concat([3, 4, 5].map((i) => `000${i}-crescent.png`)))
  const fourth = await sharp(join(folder, 'o', 'grid', singles[3]))
    .raw()
    .toBuffer()
  expect([...fourth]).toEqual([...(data as Uint8Array).subarray(3 * 192, 4 * 192)])
})

test('samples are a function of seed and place: names or numbers, one batch or many, run or checkpoint', async () => {
  const args = ['--count', '2', '--steps', '4']
  const first = await pixelsOf('a', [...args, '--classes', 'ring,cross'])
  const checkpoint = ['--checkpoint', join(run, 'checkpoints', 'step-0000012')]
  expect(await pixelsOf('b', [...args, '--classes', '1,4', '--batch', '3'], checkpoint)).toBe(first)
})

test('weights, sampler and guidance make a difference', async () => {
  const args = ['--count', '1', '--steps', '4']
  const variants = [
    [],
    ['--raw'],
    ['--guidance', '5'],
    ['--guidance', '5', '--guidance-channels', '1'],
    ['--no-clip', '--sampler', 'ddim', '--eta', '0.5'],
    ['--seed', '1', '--sampler', 'ddim'],
  ]
  const pixels = await Promise.all(variants.map((variant, i) => pixelsOf(`v${i}`, [...args, ...variant])))
  expect(new Set(pixels).size).toBe(variants.length)
})

test('Ctrl-C stops sampling, writes nothing and exits with 130', async () => {
  const out = join(folder, 'never.png')
  const { code, step } = await stopDit(
    ['sample', '--run', run, '--count', '99', '--backend', 'reference', '--out', out],
    3,
    'SIGINT',
  )
  expect(code).toBe(130)
  expect(step).toBeLessThan(40)
  expect(existsSync(out)).toBe(false)
})

test('a checkpoint of another configuration is one line, and nothing is written', async () => {
  const other = join(folder, 'other')
  await runDit(['train', ...TINY, '--hidden', '8', '--steps', '1', '--out', other, '--quiet'])
  cpSync(join(run, 'checkpoints'), join(other, 'checkpoints'), { recursive: true })
  const out = join(folder, 'wrong.png')
  const sampled = await runDit(['sample', '--run', other, '--backend', 'reference', '--out', out])
  expect(sampled.code).toBe(1)
  expect(sampled.stderr).toMatch(/^dit: .*step-0000012 does not fit .*config\.json: .*\n$/)
  expect(existsSync(out)).toBe(false)
  const resumed = await runDit(['train', '--resume', other])
  expect(resumed.code).toBe(1)
  expect(resumed.stderr).toMatch(/^dit: .*\n$/)
})
