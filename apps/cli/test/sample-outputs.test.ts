import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readNpz } from '@dit/checkpoint'
import { expect, test } from 'vitest'
import { begunSampling, JOB } from './support/begun-sampling.js'

const at = begunSampling()

test('a finished command run again makes new files', async () => {
  await at.sample(...JOB)
  await at.sample(...JOB)
  expect(readdirSync(at.here).toSorted()).toEqual(['a', 'a-2', 'a-2.npz', 'a-2.png', 'a.npz', 'a.png'])
  expect(readFileSync(join(at.here, 'a-2.npz')).equals(readFileSync(join(at.here, 'a.npz')))).toBe(true)
})

test.skipIf(process.platform === 'win32')('an npz goes through a link, into a pipe and into a device', async () => {
  mkdirSync(join(at.here, 'far'))
  symlinkSync('far/b.npz', join(at.here, 'b.npz'))
  const args = [...JOB.filter((flag) => flag !== '--npz' && flag !== '--singles'), '--npz']
  expect((await at.sample(...args, 'b.npz')).code).toBe(0)
  expect(lstatSync(join(at.here, 'b.npz')).isSymbolicLink()).toBe(true)
  expect(readdirSync(join(at.here, 'far'))).toEqual(['b.npz'])
  expect(readFileSync(join(at.here, 'far', 'b.npz')).toString('base64')).toBe(at.whole.get('a.npz'))
  const pipe = join(at.here, 'pipe')
  execFileSync('mkfifo', [pipe])
  const reader = readFile(pipe)
  expect((await at.sample(...args, 'pipe')).code).toBe(0)
  expect((await reader).toString('base64')).toBe(at.whole.get('a.npz'))
  expect((await at.sample(...args, '/dev/null')).code).toBe(0)
  expect(readdirSync(at.here).toSorted()).toEqual(['a-2.png', 'a-3.png', 'a.png', 'b.npz', 'far', 'pipe'])
})

test.runIf(process.platform === 'linux')('a full disk is an error that names the file', async () => {
  const args = [...JOB.filter((flag) => flag !== '--npz' && flag !== '--singles'), '--npz', '/dev/full']
  const { code, stderr } = await at.sample(...args)
  expect(code).toBe(1)
  expect(stderr).toBe('dit: cannot write /dev/full: no space is left on the device (ENOSPC)\n')
})

test('where only the grid is written, only what it shows is drawn, and it says so', async () => {
  const grid = ['--classes', 'disc', '--batch', '8', '--steps', '2', '--backend', 'reference']
  const { stdout, stderr } = await at.sample(...grid, '--count', '40')
  expect(stderr).toBe(
    'dit: only the grid is written, so only the 16 pictures in and beside it are drawn of 40; --npz or --singles write all\n',
  )
  expect(stdout).toContain('grid   a.png (the first 16 pictures of the first 1 classes)\n')
  await at.sample(...grid, '--count', '16', '--out', 'b.png')
  expect(readFileSync(join(at.here, 'a.png')).equals(readFileSync(join(at.here, 'b.png')))).toBe(true)
})

test('npz has the class of every picture, also where it is drawn at random', async () => {
  const { data } = (await readNpz(Buffer.from(at.whole.get('a.npz')!, 'base64'))).get('arr_1')!
  const named = [...at.whole.keys()].filter((name) => name.startsWith('a/')).map((name) => /-(\w+)\.png/.exec(name)![1])
  const classes = ['disc', 'ring', 'square', 'triangle', 'cross', 'crescent']
  expect([...(data as BigInt64Array)].map((label) => classes[Number(label)])).toEqual(named)
  expect(new Set(named).size).toBeGreaterThan(2)
})
