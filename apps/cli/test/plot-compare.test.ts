import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { countedNetwork } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import { classConditional } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { unitAxis } from '../src/plot/unit-axis.js'
import type { RunConfig } from '../src/run/run-config.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { makeLoggedRun, tinyConfig, tinyModel } from './support/tiny-run.js'

/** Runs of a few steps with held-out errors, by name. */
async function makeRuns(runs: Readonly<Record<string, Partial<RunConfig>>>): Promise<string> {
  const folder = temporaryFolder()
  for (const [name, changes] of Object.entries(runs)) {
    const run = join(folder, name)
    mkdirSync(run, { recursive: true })
    await makeLoggedRun(run, [1, 0.8, 0.5, 0.4])
    writeFileSync(join(run, 'config.json'), JSON.stringify({ ...tinyConfig, ...changes }))
    const log = readFileSync(join(run, 'log.jsonl'), 'utf8')
    writeFileSync(join(run, 'log.jsonl'), log.replaceAll(/\}$/gm, ',"measures":{"heldOut":0.25}}'))
  }
  return folder
}

const x0 = classConditional(tinyModel, { meanType: 'x0' }).spec

test('two runs share the axes of their errors and losses, with a legend of their names', async () => {
  const cwd = await makeRuns({ small: {}, large: {} })
  const { code, stdout, stderr } = await runDit(['plot', 'small', 'large'], { cwd })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toBe('comparison.svg\ncomparison.png\n')
  const svg = readFileSync(join(cwd, 'comparison.svg'), 'utf8')
  for (const text of [
    '>small<',
    '>large<',
    '>small, smallest 0.250<',
    '>held-out error<',
    '>loss<',
    'optimizer steps',
  ]) {
    expect(svg).toContain(text)
  }
  expect(svg).not.toContain('kind')
})

test('losses of different predictions get an axis each, and a word', async () => {
  const cwd = await makeRuns({ eps: {}, x0: { objective: x0 } })
  const { code, stderr } = await runDit(['plot', 'eps', 'x0'], { cwd })
  expect(code).toBe(0)
  expect(stderr).toContain('losses are of different kinds and cannot be compared')
  expect(stderr).toMatch(/kind 1 \(eps\): gaussian, .*meanType epsilon/)
  expect(stderr).toMatch(/kind 2 \(x0\): gaussian, .*meanType x0/)
  const svg = readFileSync(join(cwd, 'comparison.svg'), 'utf8')
  for (const text of ['loss of kind 1', 'loss of kind 2', 'those of different kinds cannot be compared']) {
    expect(svg).toContain(text)
  }
  // Their held-out errors are comparable.
  expect(svg.match(/>held-out error</g)).toHaveLength(1)
})

test('names are as long as they must be; missing errors and different data are told', async () => {
  const cwd = await makeRuns({ 'a/1': {}, 'b/1': { data: { kind: 'shapes', size: 4, length: 61, seed: 0 } } })
  await makeLoggedRun(join(cwd, 'a'), [1, 2])
  const { stderr } = await runDit(['plot', 'a/1', 'b/1', 'a'], { cwd })
  expect(stderr).toMatch(/without a held-out error, which --val-share of `dit train` measures: \S+\/a\n/)
  expect(stderr).toContain('the runs learn from different data, so their errors cannot be compared')
  const svg = readFileSync(join(cwd, 'comparison.svg'), 'utf8')
  for (const text of ['>a/1<', '>b/1<', 'the data differ']) expect(svg).toContain(text)
})

test('--x counts examples or multiply-adds, of one run as well', async () => {
  const cwd = await makeRuns({ a: {}, b: { recipe: { ...tinyConfig.recipe, batchSize: 8 } } })
  await runDit(['plot', 'a', 'b', '--x', 'examples'], { cwd })
  const svg = readFileSync(join(cwd, 'comparison.svg'), 'utf8')
  expect(svg).toContain('training examples')
  // Four steps of 8 to the end of the axis, 932; those of 2 to a quarter of it.
  expect(svg).toMatch(/<path d="M302,[^"]*L932,/)
  expect(svg).toMatch(/<path d="M144.5,[^"]*L302,/)
  await runDit(['plot', 'a', '--x', 'multiply-adds', '--out', 'one'], { cwd })
  expect(readFileSync(join(cwd, 'one.svg'), 'utf8')).toContain('multiply-adds of training')
  const module = { kind: 'module', module: '/m.mjs', sha256: '', spec: {} } as const
  const other = await makeRuns({ m: { objective: module, data: { kind: 'module' } } })
  const refused = await runDit(['plot', 'm', '--x', 'multiply-adds'], { cwd: other })
  expect(refused).toMatchObject({ code: 2 })
  expect(refused.stderr).toMatch(
    /--x multiply-adds: m trains the network of a module, whose multiply-adds are not known/,
  )
  expect(countMultiplyAdds(countedNetwork(tinyModel)).trainingMultiplyAdds).toBeGreaterThan(0)
})

test('large counts have units', () => {
  const axis = unitAxis(4e12, [0, 100])
  expect(axis.ticks.map((tick) => axis.text(tick))).toContain('2 T')
  expect(unitAxis(2000, [0, 100]).text(1000)).toBe('1,000')
})

test('what exists is kept: drawings get a number, and --force overwrites', async () => {
  const cwd = await makeRuns({ a: {} })
  const { stdout } = await runDit(['plot', 'a'], { cwd })
  expect(stdout).toBe('a/plot.svg\na/plot.png\n')
  writeFileSync(join(cwd, 'a', 'plot.png'), "the user's")
  expect((await runDit(['plot', 'a'], { cwd })).stdout).toBe('a/plot-2.svg\na/plot-2.png\n')
  // One of the two is enough to be in the way.
  writeFileSync(join(cwd, 'loss.png'), "the user's")
  expect((await runDit(['plot', 'a', '--out', 'loss'], { cwd })).stdout).toBe('loss-2.svg\nloss-2.png\n')
  expect(readFileSync(join(cwd, 'loss.png'), 'utf8')).toBe("the user's")
  expect((await runDit(['plot', 'a', '--out', 'loss', '--force'], { cwd })).stdout).toBe('loss.svg\nloss.png\n')
  expect(readFileSync(join(cwd, 'loss.png'), 'utf8')).not.toBe("the user's")
})

test('--tensorboard writes the events of finished runs, and no drawing', async () => {
  const cwd = await makeRuns({ a: {}, b: { tensorboard: true } })
  const { code, stdout } = await runDit(['plot', 'a', 'b', '--tensorboard'], { cwd })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^a\/tensorboard\/events\.out\.tfevents\.\d+\.dit\nb\/tensorboard\/events\S+\n$/)
  expect(readdirSync(join(cwd, 'a')).toSorted()).toEqual(['config.json', 'log.jsonl', 'tensorboard'])
  // A run that writes its events itself is left alone.
  writeFileSync(join(cwd, 'b', 'lock.json'), '{}')
  const refused = await runDit(['plot', 'b', '--tensorboard'], { cwd })
  expect(refused.code).toBe(2)
  expect(refused.stderr).toBe('dit: b is being trained and writes its events itself; wait for its end\n')
})

test('a run that is given twice is refused', async () => {
  const cwd = await makeRuns({ a: {} })
  const { code, stderr } = await runDit(['plot', 'a', 'a/'], { cwd })
  expect([code, stderr]).toEqual([2, 'dit: a/ is given twice\n'])
})

test('options of drawings are refused beside --tensorboard', async () => {
  const { code, stderr } = await runDit(['plot', 'run', '--tensorboard', '--x', 'examples'])
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('--x is for drawings, but --tensorboard writes event files'),
  ])
})
