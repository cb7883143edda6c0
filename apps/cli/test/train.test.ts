import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLog } from '@dit/train-ddp'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { RunConfig } from '../src/run/run-config.js'
import { textWidth } from '../src/plot/fonts.js'
import { runDit, runProcess, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

test('a run prints its engine first and its recipe in full, and leaves a whole run folder', async () => {
  const out = join(temporaryFolder(), 'run')
  const every = ['--checkpoint-every', '2', '--sample-every', '4', '--backend', 'tfjs-wasm']
  const args = ['train', ...TINY, '--steps', '4', ...every, '--out', out]
  const { code, stdout, stderr } = await runDit(args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^engine tfjs-wasm \d+\.\d+\.\d+ \((simd128|no SIMD), \d+ threads?\)\n/)
  for (const line of [
    'recipe pictures, because it trains on pictures .+',
    'batchSize +4',
    'learningRate +0.002',
    'emaWarmup +true',
    'numTimesteps +20',
  ]) {
    expect(stdout).toMatch(new RegExp(`^ *${line}$`, 'm'))
  }
  expect(stdout).toMatch(
    /^expect little: the learning rate rises over 100 steps, and the run has only 4; lower --warmup$/m,
  )
  expect(readdirSync(out).toSorted()).toEqual(['checkpoints', 'config.json', 'log.jsonl', 'report.html', 'samples'])
  expect(readdirSync(join(out, 'checkpoints'))).toEqual(['step-0000002', 'step-0000004'])
  const log = readFileSync(join(out, 'log.jsonl'), 'utf8')
  expect(parseLog(log).map(({ step, examples }) => [step, examples])).toEqual([
    [1, 4],
    [2, 8],
    [3, 12],
    [4, 16],
  ])
  expect(log).not.toMatch(/time|second|date/i)
  const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as RunConfig
  expect(config).toMatchObject({
    format: 'dit-run-2',
    steps: 4,
    seed: 0,
    objective: { kind: 'denoising', network: { kind: 'dit', config: { inputSize: 8, numClasses: 6 } } },
  })
  // Six rows and columns of 64 + 4 pixels, a border of 4, and labels of at most 8 letters, as wide as they are in the fonts of the machine.
  const { width, height, format } = await sharp(join(out, 'samples', 'step-0000004.png')).metadata()
  const labels = Math.ceil(textWidth(config.classes, 13)) + 12
  expect({ width, height, format }).toEqual({ width: labels + 6 * 68 + 4, height: 6 * 68 + 4, format: 'png' })
})

test('every option can live in a config file, and the command line wins', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'run.json')
  const options = {
    size: 8,
    hidden: 16,
    depth: 1,
    heads: 2,
    batch: 3,
    steps: 9,
    clip: null,
    sampleEvery: null,
    flip: false,
  }
  writeFileSync(file, JSON.stringify({ ...options, out: join(folder, 'run'), quiet: true, backend: 'reference' }))
  const { code, stdout, stderr } = await runDit(['train', '--config', file, '--steps', '1', '--batch', '2'])
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' })
  const config = JSON.parse(readFileSync(join(folder, 'run', 'config.json'), 'utf8')) as RunConfig
  expect(config).toMatchObject({ steps: 1, flip: false, sampleEvery: null })
  expect(config.objective).toMatchObject({ network: { config: { hiddenSize: 16 } } })
  expect(config.recipe).toMatchObject({ batchSize: 2, maxGradientNorm: null })
})

test('--json prints one object a line, the configuration and every step among them', async () => {
  const out = join(temporaryFolder(), 'run')
  const { stdout } = await runDit(['train', ...TINY, '--steps', '2', '--out', out, '--json'])
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string })
  expect(events.map(({ type }) => type)).toEqual(['run', 'start', 'step', 'step', 'checkpoint', 'end'])
})

test('a loss that is not finite ends the run with one line that names the step and the checkpoint', async () => {
  const out = join(temporaryFolder(), 'run')
  const wild = ['--lr', '1e30', '--warmup', '0', '--clip', 'none', '--decay', 'constant', '--checkpoint-every', '1']
  const { code, stderr } = await runDit(['train', ...TINY, ...wild, '--steps', '9', '--out', out, '--quiet'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^dit: the .* at step \d+; the last good checkpoint is .*run\/checkpoints\/step-\d+\..*\n$/)
})

test('Ctrl-C in the last grid of samples: exit code 130, and how to get the grid', async () => {
  const out = join(temporaryFolder(), 'run')
  const args = ['train', ...TINY, '--hidden=128', '--steps', '1', '--sample-every', '9', '--out', out]
  const { code, stderr } = await runProcess(args, { interruptAt: /checkpoint .*step-0000001/ })
  expect(stderr).toContain('all 1 steps are done and saved, but the last grid of samples is missing')
  expect(stderr).toContain(`dit sample ${out}`)
  expect(code).toBe(130)
})
