import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { scanFolder } from '../../src/node/scan-folder.js'

let around: string
let folder: string

beforeEach(async () => {
  around = await realpath(await mkdtemp(join(tmpdir(), 'dit-data-')))
  folder = join(around, 'photos')
  await mkdir(folder)
})
afterEach(() => rm(around, { recursive: true }))

async function put(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), '')
  }
}

/** Links `path` in the folder to a target relative to where the link lies. */
async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await symlink(target, join(folder, path))
}

/** What was listed, as `label path`. */
async function listed(): Promise<string[]> {
  return (await scanFolder(folder)).files.map(({ path, label }) => `${label} ${path.replaceAll('\\', '/')}`)
}

const mixes = (path: string, owner: string) =>
  `openImageFolder: ${join(folder, path)} leads to what class ${owner} already has, and a picture has one class; ` +
  'remove one of the links'

test('lists class by class, folder by folder, as names sort', async () => {
  await put('b/1.png', 'a/x.png', 'a/x/2.png', 'a/x-1.png', 'a/.x/3.png')
  expect(await listed()).toEqual(['0 a/x/2.png', '0 a/x-1.png', '0 a/x.png', '1 b/1.png'])
})

test.each(['.', '..', '../..', '../../..', '/', 'up'])('a link back to %s adds nothing', async (target) => {
  await put('a/1.png', '../elsewhere/2.png')
  await link('a/up', target)
  expect(await listed()).toEqual(['0 a/1.png'])
})

test('a folder and a file count once in a class, under the name where they lie', async () => {
  await put('a/deep/1.png', 'a/2.png', '../store/3.png', '../store/in/4.png')
  await link('a/again', 'deep')
  await link('a/0.png', '2.png')
  await link('a/deep/up', '..')
  // These lead out of the folder and into one another.
  await link('a/s', '../../store/in')
  await link('a/t', '../../store')
  await link('../store/loop', '../store')
  await link('a/u.png', '../../store/3.png')
  expect(await listed()).toEqual(['0 a/2.png', '0 a/deep/1.png', '0 a/s/4.png', '0 a/t/3.png'])
})

test('several links to one file elsewhere count once, in the place of the first', async () => {
  await put('../store/blob', 'a/9.png')
  await link('a/2.png', '../../store/blob')
  await link('a/1.png', '../../store/blob')
  await link('a/gone.png', 'nowhere')
  expect(await listed()).toEqual(['0 a/1.png', '0 a/9.png', '0 a/gone.png'])
})

test('follows links to class folders and folders that lie elsewhere', async () => {
  await put('../store/cats/1.png', '../store/dogs/2.png', 'b/3.png')
  await link('a', '../store/cats')
  await link('b/more', '../../store/dogs')
  expect(await listed()).toEqual(['0 a/1.png', '1 b/3.png', '1 b/more/2.png'])
})

test.each([
  ['a/more', '../b', 'b'],
  ['b/more', '../a', 'a'],
  ['a/more', '../b/deep', 'b'],
  ['a/more.png', '../b/deep/2.png', 'b'],
  ['c', 'b', 'b'],
  ['c', 'a/deep', 'a'],
])('a link from %s to %s would mix the classes', async (path, target, owner) => {
  await put('a/1.png', 'a/deep/1.png', 'b/2.png', 'b/deep/2.png')
  await link(path, target)
  await expect(scanFolder(folder)).rejects.toThrow(mixes(path, owner))
})

test('what lies elsewhere belongs to one class, too', async () => {
  await put('a/1.png', 'b/2.png', '../store/in/3.png')
  await link('a/s', '../../store/in')
  await link('b/s.png', '../../store/in/3.png')
  await expect(scanFolder(folder)).rejects.toThrow(mixes('b/s.png', 'a'))
  await rm(join(folder, 'b/s.png'))
  await link('b/s', '../../store')
  await expect(scanFolder(folder)).rejects.toThrow(mixes('b/s/in', 'a'))
})

test('a class that is only a link back has no pictures', async () => {
  await put('a/1.png')
  await link('b', '.')
  await expect(scanFolder(folder)).rejects.toThrow(`class folder ${join(folder, 'b')} holds no PNG, JPEG or WebP files`)
})
