import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseLog } from '@dit/train-ddp'
import { beforeAll, expect, test } from 'vitest'
import { keptFolder, runDit, temporaryFolder } from './support/run-dit.js'

const MODULE = fileURLToPath(new URL('fixtures/own-dit.mjs', import.meta.url))
const ENGINE = ['--backend', 'cpu-wasm', '--threads', '1']
const DATA = ['--data', 'shapes', '--size', '8', '--val-share', '0.0002', '--batch', '8', '--steps', '2']
const EVALUATED = ['--eval-every', '100', '--eval-count', '12', '--eval-steps', '2', '--sample-every', '2']
const COMMON = [...DATA, ...EVALUATED, '--recipe', 'small', '--warmup', '0', '--lr', '0.05', ...ENGINE]
const SAMPLED = ['--steps', '2', '--count', '1', '--guidance', '2', ...ENGINE]

const folder = keptFolder()
const [own, dit] = ['own', 'dit'].map((name) => join(folder, name))
beforeAll(async () => {
  const sizes = ['--hidden', '16', '--depth', '1', '--heads', '2', '--patch', '4', '--mlp-ratio', '1']
  const process = ['--predict', 'x0', '--variance', 'fixedSmall']
  const runs = [
    await runDit(['train', ...COMMON, '--objective', MODULE, '--out', own]),
    await runDit(['train', ...COMMON, ...sizes, ...process, '--out', dit]),
  ]
  for (const { code, stderr } of runs) if (code !== 0) throw new Error(stderr)
})

test('the network of a module is evaluated after the last step, as the DiT that it is would be', () => {
  const [last, asDiT] = [own, dit].map((run) => parseLog(readFileSync(join(run, 'log.jsonl'), 'utf8')).at(-1)!)
  expect(last.step).toBe(2)
  expect(Object.keys(last.measures!)).toEqual(expect.arrayContaining(['heldOut', 'frechet', 'kid']))
  expect(last.evaluation).toEqual(asDiT.evaluation)
  expect(last).toEqual(asDiT)
  expect(readFileSync(join(own, 'report.html'), 'utf8')).toContain('Fréchet distance')
})

test('its grids and samples have the same bytes', async () => {
  const [grid, asDiT] = [own, dit].map((run) => readFileSync(join(run, 'samples', 'step-0000002.png')))
  expect(grid.equals(asDiT)).toBe(true)
  const out = temporaryFolder()
  for (const [name, run] of Object.entries({ own, dit, best: own })) {
    const which = name === 'best' ? ['--checkpoint', 'best'] : []
    const { code, stderr } = await runDit(['sample', run, ...which, ...SAMPLED, '--npz', join(out, `${name}.npz`)])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }
  const [first, ...others] = ['own', 'dit', 'best'].map((name) => readFileSync(join(out, `${name}.npz`)))
  for (const other of others) expect(first.equals(other)).toBe(true)
})

test('what only a DiT has is refused by name', async () => {
  const out = temporaryFolder()
  const stderrOf = async (...args: string[]) => (await runDit(args)).stderr
  expect(await stderrOf('convert', own, join(out, 'own.safetensors'))).toContain(
    '`dit convert` works only for DiTs, but its network is your own',
  )
  expect(await stderrOf('export', own, '--onnx', out)).toContain('`dit export` works only for DiTs')
  expect(await stderrOf('sample', dit, '--objective', MODULE)).toContain(
    '--objective is for a run that trains the network of a module',
  )
  expect(await stderrOf('sample', own, '--objective', 'gone.mjs')).toContain('--objective gone.mjs: this file does not')
})
