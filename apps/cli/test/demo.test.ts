import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spritesDataset } from '@dit/data'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { demoFolder } from '../src/run/demo-folder.js'
import { type DemoScore, scoreDemo, scoreLines } from '../src/run/demo-score.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { tinyConfig } from './support/tiny-run.js'

const tiny = ['demo', '--steps', '3', '--per-class', '2', '--out', 'demo']

test('trains, draws, judges; a second one gets a folder of its own', async () => {
  const cwd = temporaryFolder()
  const first = await runDit(tiny, { cwd })
  expect(first.stderr).toBe('')
  expect(first.code).toBe(0)
  expect(first.stdout).toMatch(/most like the class asked for +\d+\.\d % +\d+\.\d % +\d+\.\d %/)
  expect(first.stdout).toContain(join('demo', '1', 'samples.png'))
  const folder = join(cwd, 'demo', '1')
  expect(await readdir(folder)).toEqual(
    expect.arrayContaining(['checkpoints', 'config.json', 'log.jsonl', 'samples.png', 'score.json']),
  )
  const { width, height } = await sharp(join(folder, 'samples.png')).metadata()
  expect(width).toBeGreaterThan(2 * 64)
  expect(height).toBe(8 * (64 + 4) + 4)
  const score = JSON.parse(await readFile(join(folder, 'score.json'), 'utf8')) as DemoScore
  expect(score.samples.count).toBe(16)
  expect(score.real.right).toBeGreaterThanOrEqual(0.95)
  expect(score.noise.right).toBeLessThan(0.02)

  const info = JSON.parse((await runDit(['info', folder, '--json'])).stdout) as { run: object }
  expect(info.run).toMatchObject({ steps: 3, done: 3 })
  const second = await runDit([...tiny, '--quiet'], { cwd })
  expect([second.code, second.stdout]).toEqual([0, ''])
  expect(await readdir(join(cwd, 'demo'))).toEqual(['1', '2'])
  // The same seed: the same pictures.
  expect(await readFile(join(cwd, 'demo', '2', 'samples.png'))).toEqual(await readFile(join(folder, 'samples.png')))
})

test('an unfinished demo is continued only if it is the one asked for', async () => {
  const parent = temporaryFolder()
  const begin = async (name: string, files: readonly string[]) => {
    await mkdir(join(parent, name))
    for (const file of files) await writeFile(join(parent, name, file), JSON.stringify(tinyConfig))
  }
  const any = () => true
  expect(await demoFolder(parent, any)).toEqual({ folder: join(parent, '1'), isResume: false })
  await begin('1', ['config.json', 'score.json'])
  await begin('notes', [])
  expect(await demoFolder(parent, any)).toEqual({ folder: join(parent, '2'), isResume: false })
  await begin('9', ['config.json'])
  expect(await demoFolder(parent, any)).toEqual({ folder: join(parent, '9'), isResume: true })
  expect(await demoFolder(parent, () => false)).toEqual({ folder: join(parent, '10'), isResume: false })
  await begin('10', [])
  expect(await demoFolder(parent, any)).toEqual({ folder: join(parent, '11'), isResume: false })
})

test('real pictures are right and as varied as real ones; the same picture over and over has no spread', async () => {
  const dataset = spritesDataset({ length: 600, seed: 5 })
  const some = await dataset.read(Array.from({ length: 40 }, (_, i) => i))
  const score = await scoreDemo(some.x0, some.labels)
  expect(score.samples.right).toBeGreaterThanOrEqual(0.95)
  expect(score.real.right).toBeGreaterThanOrEqual(0.95)
  expect(score.noise.right).toBeLessThan(0.02)
  expect(Math.abs(score.spreadRatio - 1)).toBeLessThan(0.3)
  expect(scoreLines(score)).toContainEqual(expect.stringMatching(/robot +100\.0 % +\d/))

  const copies = await dataset.read(Array.from({ length: 12 }, () => 3))
  const memorised = await scoreDemo(copies.x0, copies.labels)
  expect(memorised.spreadRatio).toBeLessThan(1e-6)
})
