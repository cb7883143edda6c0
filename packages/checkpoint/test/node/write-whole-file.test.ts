import { execFileSync } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeWholeFile } from '../../src/node/index.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-whole-'))
})
afterEach(() => rm(folder, { recursive: true }))

const bytes = (text: string) => new TextEncoder().encode(text)
const write = (path: string, text: string) => writeWholeFile(path, true, (append) => append(bytes(text)))

test('a file whose name looks like a partial one is left alone', async () => {
  await writeFile(join(folder, 'a.partial'), 'mine')
  await write(join(folder, 'a'), 'new')
  expect((await readdir(folder)).toSorted()).toEqual(['a', 'a.partial'])
  expect(await readFile(join(folder, 'a.partial'), 'utf8')).toBe('mine')
})

test('a link stays, and what it leads to is replaced, also where it leads to nothing yet', async () => {
  await mkdir(join(folder, 'far'))
  await writeFile(join(folder, 'far', 'a'), 'old')
  await symlink('far/a', join(folder, 'a'))
  await symlink('far/b', join(folder, 'b'))
  await symlink('b', join(folder, 'c'))
  await write(join(folder, 'a'), 'new')
  await write(join(folder, 'c'), 'first')
  expect((await lstat(join(folder, 'a'))).isSymbolicLink()).toBe(true)
  expect(await readFile(join(folder, 'far', 'a'), 'utf8')).toBe('new')
  expect(await readFile(join(folder, 'far', 'b'), 'utf8')).toBe('first')
  expect((await readdir(join(folder, 'far'))).toSorted()).toEqual(['a', 'b'])
})

test('links in a circle are an error with a code', async () => {
  await symlink('b', join(folder, 'a'))
  await symlink('a', join(folder, 'b'))
  await expect(write(join(folder, 'a'), 'x')).rejects.toMatchObject({ code: 'ELOOP' })
})

test.skipIf(process.platform === 'win32')('a pipe takes the bytes, and stays a pipe', async () => {
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const [read] = await Promise.all([readFile(pipe, 'utf8'), write(pipe, 'through')])
  expect(read).toBe('through')
  expect((await lstat(pipe)).isFIFO()).toBe(true)
  await write('/dev/null', 'away')
  expect((await lstat('/dev/null')).isCharacterDevice()).toBe(true)
})

test('what fails leaves the old file, and nothing beside it', async () => {
  const path = join(folder, 'a')
  await writeFile(path, 'old')
  const failing = writeWholeFile(path, false, async (append) => {
    await append(bytes('half'))
    throw new Error('no more')
  })
  await expect(failing).rejects.toThrow('no more')
  expect(await readdir(folder)).toEqual(['a'])
  expect(await readFile(path, 'utf8')).toBe('old')
})
