import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { makeLoggedRun, makeTinyRun, tinyConfig } from './support/tiny-run.js'

test('writes an SVG and a PNG beside the run, with a title, both labels and a legend', async () => {
  const folder = temporaryFolder()
  await makeLoggedRun(folder, [1, 0.8, 0.5, 0.04])
  const { code, stdout, stderr } = await runDit(['plot', folder])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout.split('\n')).toEqual([join(folder, 'plot.svg'), join(folder, 'plot.png'), ''])
  const svg = await readFile(join(folder, 'plot.svg'), 'utf8')
  for (const text of [
    'Training of',
    'loss (log scale)',
    'learning rate',
    'optimizer steps',
    'loss of a step',
    '4 of 4 steps',
  ]) {
    expect(svg).toContain(text)
  }
  const { width, height, channels } = await sharp(join(folder, 'plot.png')).metadata()
  expect([width, height, channels]).toEqual([1440, 1020, 4])
  // Text was drawn: the title's row has dark pixels on white.
  const title = await sharp(join(folder, 'plot.png')).extract({ left: 138, top: 30, width: 300, height: 24 }).stats()
  expect(title.channels[0].min).toBeLessThan(80)
  expect(title.channels[0].max).toBe(255)
})

test('--out, --scale and --json say where, how and what', async () => {
  const folder = temporaryFolder()
  await makeLoggedRun(folder, [1, 0.8, 0.5, 0.04])
  const { code, stdout } = await runDit([
    'plot',
    folder,
    '--out',
    join(folder, 'a', 'loss.png'),
    '--scale',
    'linear',
    '--json',
  ])
  expect(code).toBe(0)
  const base = join(folder, 'a', 'loss')
  expect(JSON.parse(stdout)).toEqual({ type: 'plot', svg: `${base}.svg`, png: `${base}.png`, steps: 4 })
  expect(await readFile(`${base}.svg`, 'utf8')).not.toContain('log scale')
})

test.each([
  ['a folder that is no run', async () => {}, /is not a run: it has no config\.json/, 2],
  [
    'no log',
    async (folder: string) => writeFile(join(folder, 'config.json'), JSON.stringify(tinyConfig)),
    /has no log\.jsonl: no step was trained yet/,
    2,
  ],
  [
    'a lost log',
    async (folder: string) => {
      await makeTinyRun(folder)
      await rm(join(folder, 'log.jsonl'))
    },
    /has no log\.jsonl, but was trained to step 4: its log was lost/,
    2,
  ],
  ['an empty log', async (folder: string) => makeLoggedRun(folder, []), /has an empty log\.jsonl/, 2],
  [
    'a damaged log',
    async (folder: string) => {
      await makeLoggedRun(folder, [1])
      await writeFile(join(folder, 'log.jsonl'), '{"step":1\n')
    },
    /log\.jsonl: line 1 is not the record of a step/,
    1,
  ],
] as const)('%s is one clear line', async (_, prepare, message, exitCode) => {
  const folder = temporaryFolder()
  await prepare(folder)
  const { code, stdout, stderr } = await runDit(['plot', folder])
  expect(stderr).toMatch(message)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect([code, stdout]).toEqual([exitCode, ''])
})
