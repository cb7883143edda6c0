import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseLog } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'

const EXAMPLES = fileURLToPath(new URL('../../../docs/examples/', import.meta.url))

test('the example of docs/own-network.md learns, and is sampled', async () => {
  const run = join(temporaryFolder(), 'run')
  const module = join(EXAMPLES, 'own-network.mjs')
  const options = ['--data', 'shapes', '--size', '8', '--steps', '60', '--batch', '16', '--lr', '0.01', '--warmup', '5']
  const engine = ['--engine', 'wasm', '--threads', '1', '--val-share', '0.0001', '--val-every', '60']
  const { code, stderr, stdout } = await runDit(['train', '--objective', module, ...options, ...engine, '--out', run])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain(`see what it learned with: dit sample ${run}`)
  const log = parseLog(readFileSync(join(run, 'log.jsonl'), 'utf8'))
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length
  const losses = log.map(({ loss }) => loss)
  expect(mean(losses.slice(-10))).toBeLessThan(0.7 * mean(losses.slice(0, 5)))
  expect(log.at(-1)!.measures!.heldOut).toBeLessThan(1)
  // The packages as they are built, as a user's own script has them.
  const printed = execFileSync(process.execPath, [join(EXAMPLES, 'sample-own-network.mjs'), run], { encoding: 'utf8' })
  expect(printed).toBe('[ 6, 3, 8, 8 ] true\n')
})
