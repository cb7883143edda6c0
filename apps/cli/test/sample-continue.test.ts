import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readNpz } from '@dit/checkpoint'
import { expect, test } from 'vitest'
import { ARRAYS, begunSampling, contents, JOB } from './support/begun-sampling.js'

const at = begunSampling()

test('what was stopped twice and continued has the bytes of one run, and nothing else is left', async () => {
  const first = await at.stopped(4, ...JOB, ...ARRAYS)
  expect(first.stderr).toBe('dit: stopping\ndit: stopped; 4 of 11 pictures are kept; the same command continues\n')
  expect(first.code).toBe(140)
  expect(readdirSync(at.here).toSorted()).toEqual([
    'a',
    'a.npz.unfinished',
    'a.png.progress',
    'l.npz.unfinished',
    't.npz.unfinished',
  ])
  expect(readdirSync(join(at.here, 'a'))).toHaveLength(4)
  const second = await at.stopped(8, ...JOB, ...ARRAYS)
  expect(second.stdout).toContain('"type":"found","found":4,"damaged":0,"drawn":7,"pictures":11')
  const third = await at.sample(...JOB, ...ARRAYS)
  expect(third.stdout).toContain('found  8 of 11 pictures; drawing 3\n')
  expect(third.code).toBe(0)
  expect(contents(at.here)).toEqual(at.whole)
})

test('numbered outputs that were stopped are found again', async () => {
  await at.sample('--count', '1', '--backend', 'reference', '--steps', '1')
  await at.stopped(4, ...JOB)
  expect(existsSync(join(at.here, 'a-2.png.progress'))).toBe(true)
  const { stdout } = await at.sample(...JOB)
  expect(stdout).toContain('found  4 of 11')
  expect(readFileSync(join(at.here, 'a-2.npz')).toString('base64')).toBe(at.whole.get('a.npz'))
  // Another kind of output does not take the name of one that is begun.
  await at.stopped(4, ...JOB)
  const { stdout: grid } = await at.sample('--count', '1', '--backend', 'reference', '--steps', '1')
  expect(grid).toContain('a-4.png')
})

test('a picture that is cut short, gone or of another size is drawn again, and what a kill left is removed', async () => {
  await at.stopped(8, ...JOB)
  const names = readdirSync(join(at.here, 'a')).toSorted()
  truncateSync(join(at.here, 'a', names[1]), 60)
  rmSync(join(at.here, 'a', names[4]))
  writeFileSync(join(at.here, 'a', `${names[7]}.0123456789ab.partial`), 'half')
  const { stdout } = await at.sample(...JOB)
  expect(stdout).toContain(
    'found  8 of 11 pictures, 4 of them to be drawn again, as their files are missing or damaged; drawing 7\n',
  )
  const { 'l.npz': _l, 't.npz': _t, ...rest } = Object.fromEntries(at.whole)
  expect(Object.fromEntries(contents(at.here))).toEqual(rest)
})

test('a command killed while it completed its files completes the others', async () => {
  await at.stopped(10, ...JOB, ...ARRAYS)
  // As after a kill between two files, when all is written: one has its name, the others have not.
  const put = (name: string, from: string) =>
    writeFileSync(join(at.here, name), Buffer.from(at.whole.get(from)!, 'base64'))
  for (const name of at.whole.keys()) if (name.startsWith('a/')) put(name, name)
  put('l.npz', 'l.npz')
  rmSync(join(at.here, 'l.npz.unfinished'))
  put('t.npz.unfinished', 't.npz')
  put('a.npz.unfinished', 'a.npz')
  const { data } = (await readNpz(Buffer.from(at.whole.get('a.npz')!, 'base64'))).get('arr_0')!
  writeFileSync(join(at.here, 'a.png.progress', 'grid'), data)
  const job = join(at.here, 'a.png.progress', 'job.json')
  writeFileSync(job, readFileSync(job, 'utf8').replace('"done":5', '"done":6'))
  const { stdout, code } = await at.sample(...JOB, ...ARRAYS)
  expect(stdout).toContain('found  11 of 11 pictures; drawing 0\n')
  expect(code).toBe(0)
  expect(contents(at.here)).toEqual(at.whole)
})

test('stopped before a batch is done, nothing is left', async () => {
  const { code, stderr } = await at.stopped(0, ...JOB, ...ARRAYS)
  expect(stderr).toBe('dit: stopping\ndit: stopped; no samples were written\n')
  expect(code).toBe(140)
  expect(readdirSync(at.here)).toEqual([])
})
