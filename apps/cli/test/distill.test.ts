import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunConfig } from '../src/run/run-config.js'
import { runDit } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

const STRIPES = fileURLToPath(new URL('../../../docs/examples/stripes.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'dit-distill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const [base, students] = ['base', 'students'].map((name) => join(folder, name))
const STAGE = ['--batch=4', '--steps=2', '--warmup=0', '--backend=reference', '--sample-every=none']
const DISTILL = ['distill', '--from', base, '--out', students, '--start-steps=4', '--guidance-range=1,3', ...STAGE]
const sample = (weights: string, ...flags: string[]) =>
  runDit(['sample', weights, '--count=1', '--backend=reference', '--quiet', ...flags])

beforeAll(async () => {
  for (const args of [['train', ...TINY, '--steps=1', '--out', base, '--quiet'], DISTILL]) {
    const { code, stderr } = await runDit(args)
    if (code !== 0) throw new Error(stderr)
  }
})

test('each student teaches the next, on the pictures of the first teacher', () => {
  const configs = ['2-steps', '1-step'].map(
    (name) => JSON.parse(readFileSync(join(students, name, 'config.json'), 'utf8')) as RunConfig,
  )
  expect(configs.map(({ from }) => from!.source)).toEqual([base, join(students, '2-steps')])
  expect(configs.map(({ objective }) => (objective as { process: object }).process)).toMatchObject([
    { distilled: { startSteps: 4, numSteps: 2 } },
    { distilled: { startSteps: 4, numSteps: 1 } },
  ])
  expect(configs.map(({ objective }) => (objective as { isFirst: boolean }).isFirst)).toEqual([true, false])
  expect(configs.map(({ data }) => data)).toEqual(
    Array(2).fill((JSON.parse(readFileSync(join(base, 'config.json'), 'utf8')) as RunConfig).data),
  )
  expect(configs[0].recipe).toMatchObject({ decay: 'linear', finalLearningRate: 0 })
})

test('a student is sampled by itself, as a run and as a file', async () => {
  const [own, file, copy] = ['own.png', 'student.safetensors', 'copy.png'].map((name) => join(folder, name))
  const run = join(students, '2-steps')
  expect(await sample(run, '--guidance=2.5', '--out', own)).toMatchObject({ code: 0, stderr: '' })
  expect((await runDit(['convert', run, file, '--quiet'])).code).toBe(0)
  expect(await sample(file, '--guidance=2.5', '--steps=2', '--out', copy)).toMatchObject({ code: 0, stderr: '' })
  expect(readFileSync(copy)).toEqual(readFileSync(own))
  expect((await runDit(['info', file])).stdout).toContain('a student that takes 2 of 4 steps')
})

test('the same command goes on: what is done stays', async () => {
  const again = await runDit(DISTILL)
  expect(again).toMatchObject({ code: 0, stderr: '' })
  expect(again.stdout).toContain('stage 1 of 2: 2-steps, done before')
  expect(again.stdout).toContain('stage 2 of 2: 1-step, done before')
})

describe('refuses by name', () => {
  const out = join(folder, 'refused')
  const student = join(students, '2-steps')
  test.each<[string[], string]>([
    [['distill', '--out', out], '--from is needed'],
    [['distill', '--from', base], '--out <folder> is needed'],
    [['distill', '--from', base, '--out', out, '--start-steps=12', '--last=4'], '--last 4: halving 12 steps'],
    [
      ['distill', '--from', student, '--out', out, '--start-steps=4'],
      '--start-steps 4: the teacher is a student of 2 steps of 4',
    ],
    [['distill', '--from', student, '--out', out, '--guidance-range=1,2'], 'which is guided by itself'],
    [['distill', '--from', base, '--out', out, '--guidance-range=2,2'], 'for one scale use --guidance-scale'],
    [['distill', '--from', base, '--out', out, '--guidance-range=1,2', '--guidance-scale=2'], 'leave one of them out'],
    [['distill', '--from', base, '--out', out, '--data', STRIPES], '--data has other classes than'],
    [['distill', '--from', base, '--out', out, '--start-steps=2048', '--last=1024'], '2048'],
    [['train', '--from', base, '--student-steps=4', '--hidden=32', '--out', out], '--hidden 32: the weights of'],
    [
      ['train', '--from', base, '--student-steps=4', '--schedule=linear', '--out', out],
      '--schedule: a student is of the size and process',
    ],
    [
      ['train', '--from', base, '--student-steps=4', '--size=16', '--out', out],
      '--size 16: a student has the size of its teacher',
    ],
    [['train', '--from', base, '--student-steps=4', '--lora=2', '--out', out], '--lora: a student is'],
    [['train', '--from', base, '--student-steps=4', '--val-share=0.1', '--out', out], 'measure them with dit eval'],
    [['train', '--student-steps=4', '--out', out], '--student-steps needs --from'],
    [['train', '--guidance-range=1,3', '--out', out], '--guidance-range works only with --student-steps'],
    [['train', '--from', student, '--out', out], 'is a student of 2 steps, which knows no others'],
    [['train', '--from', student, '--student-steps=2', '--out', out], 'its student must have 1'],
    [['sample', student, '--steps=20', '--out', `${out}.png`], '--steps 20 must be 2, because'],
    [['sample', student, '--guidance=5', '--out', `${out}.png`], '--guidance 5 must be 1 to 3, the scales that'],
    [['sample', student, '--sampler=ddpm', '--out', `${out}.png`], '--sampler ddpm must be ddim, because'],
    [
      ['export', student, '--onnx', out, '--guidance'],
      '--guidance: the model takes the scale of guidance as an input of its own',
    ],
    [['convert', student, out], 'guidanceRange'],
  ])('%j', async (args, message) => {
    const refused = await runDit(args)
    expect(refused.stderr).toContain(message)
    expect(refused.code).not.toBe(0)
    expect([out, `${out}.png`, `${out}.onnx`].filter((path) => existsSync(path))).toEqual([])
  })
})
