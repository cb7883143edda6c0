import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseLog } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'

const MODULE = fileURLToPath(new URL('../../../docs/examples/own-block.mjs', import.meta.url))

test('a network of the block of docs/blocks.md learns, resumes to the bit and is sampled with guidance', async () => {
  const folder = temporaryFolder()
  const [run, whole] = [join(folder, 'run'), join(folder, 'whole')]
  const options = ['--data', 'shapes', '--size', '8', '--batch', '16', '--lr', '0.005', '--warmup', '5']
  const engine = ['--engine', 'wasm', '--threads', '1', '--decay', 'constant', '--quiet']
  const train = (steps: number, out: string) =>
    runDit(['train', '--objective', MODULE, ...options, ...engine, '--steps', String(steps), '--out', out])
  expect(await train(30, run)).toMatchObject({ code: 0, stderr: '' })
  expect(await runDit(['train', '--resume', run, '--steps', '60', '--quiet'])).toMatchObject({ code: 0, stderr: '' })
  expect(await train(60, whole)).toMatchObject({ code: 0, stderr: '' })
  const logs = [run, whole].map((each) => parseLog(readFileSync(join(each, 'log.jsonl'), 'utf8')))
  const [losses, others] = logs.map((log) => log.map(({ loss }) => loss))
  expect(losses).toEqual(others)
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length
  expect(mean(losses.slice(-10))).toBeLessThan(0.7 * mean(losses.slice(0, 5)))
  const out = join(folder, 'samples.png')
  const sampled = await runDit(['sample', run, '--guidance', '2', '--steps', '3', '--out', out])
  expect(sampled).toMatchObject({ code: 0 })
  const refused = await runDit(['convert', run, join(folder, 'weights.safetensors')])
  expect(refused.stderr).toContain('`dit convert` works only for DiTs, but its network is your own')
})
