import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { begunSampling, contents, JOB } from './support/begun-sampling.js'

const at = begunSampling()

test('other settings or weights are refused by name, and --force begins anew', async () => {
  await at.stopped(4, ...JOB)
  const before = contents(at.here)
  const begun = /^dit: a\.png was begun with other settings, and 4 of 11 pictures are done: /
  const other = await at.sample(...JOB, '--seed', '1', '--guidance', '2')
  expect(other.code).toBe(2)
  expect(other.stderr).toMatch(begun)
  expect(other.stderr).toContain(
    ': --seed was 0, and is 1; --guidance was 1, and is 2. Continue with the same settings, begin anew with --out a.png --force, or give another --out\n',
  )
  const without = await at.sample(...JOB.filter((flag) => flag !== '--npz'))
  expect(without.stderr).toContain(': it was with --npz, and is without. ')
  const raw = await at.sample(...JOB, '--raw')
  expect(raw.stderr).toContain(': the weights of the model are others. ')
  expect(contents(at.here)).toEqual(before)
  const { code, stdout } = await at.sample(...JOB, '--seed', '1', '--force')
  expect(code).toBe(0)
  expect(stdout).not.toContain('found')
  expect(readdirSync(at.here).toSorted()).toEqual(['a', 'a.npz', 'a.png'])
  expect(readFileSync(join(at.here, 'a.npz')).toString('base64')).not.toBe(at.whole.get('a.npz'))
})

test('a draft that is gone cannot be continued', async () => {
  await at.stopped(4, ...JOB)
  rmSync(join(at.here, 'a.npz.unfinished'))
  const { code, stderr } = await at.sample(...JOB)
  expect(code).toBe(2)
  expect(stderr).toMatch(
    /a\.npz\.unfinished of the samples that were begun is gone or damaged.*begin anew with --force\n$/,
  )
  expect((await at.sample(...JOB, '--force')).code).toBe(0)
})

test('files of somebody else in its places are refused and left alone', async () => {
  writeFileSync(join(at.here, 'a.npz.unfinished'), 'mine')
  expect((await at.sample(...JOB)).stderr).toMatch(/--npz a\.npz: \S*a\.npz\.unfinished is in the way/)
  rmSync(join(at.here, 'a.npz.unfinished'))
  writeFileSync(join(at.here, 'a.png.progress'), 'mine')
  expect((await at.sample(...JOB)).stderr).toContain('a.png.progress is not a folder, but dit keeps')
  rmSync(join(at.here, 'a.png.progress'))
  mkdirSync(join(at.here, 'mine'))
  symlinkSync('mine', join(at.here, 'a.png.progress'))
  expect((await at.sample(...JOB, '--force')).stderr).toContain('a.png.progress is not a folder, but dit keeps')
  rmSync(join(at.here, 'a.png.progress'))
  mkdirSync(join(at.here, 'a.png.progress'))
  writeFileSync(join(at.here, 'a.png.progress', 'thesis.txt'), 'mine')
  expect((await at.sample(...JOB, '--force')).stderr).toContain('a.png.progress holds other files (thesis.txt)')
  expect(readdirSync(at.here).toSorted()).toEqual(['a.png.progress', 'mine'])
})

test('a record does not make --force remove files of others', async () => {
  await at.stopped(4, ...JOB)
  const job = join(at.here, 'a.png.progress', 'job.json')
  const victim = join(at.here, 'thesis.txt')
  writeFileSync(victim, 'mine')
  const record = JSON.parse(readFileSync(job, 'utf8')) as { drafts: string[] }
  writeFileSync(job, JSON.stringify({ ...record, drafts: [...record.drafts, victim] }))
  expect((await at.sample(...JOB, '--force')).code).toBe(0)
  expect(readFileSync(victim, 'utf8')).toBe('mine')
})

test('a second command at the same output is refused while the first runs', async () => {
  await at.stopped(4, ...JOB)
  const lock = join(at.here, 'a.png.progress', 'lock.json')
  writeFileSync(lock, JSON.stringify({ pid: process.ppid, host: hostname(), token: 'other' }))
  const { code, stderr } = await at.sample(...JOB)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^dit: process \d+ on .* is already writing to a\.png\.progress/)
  rmSync(lock)
  expect((await at.sample(...JOB)).code).toBe(0)
})
