import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
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
  await expect(scanFolder(folder)).rejects.toThrow(
    `class folder ${join(folder, 'b')} holds no PNG, JPEG, WebP, AVIF, GIF or TIFF files`,
  )
})

test('names of every kind that is read are pictures, in any case', async () => {
  const names = [
    '1.png',
    '2.JPG',
    '3.jpeg',
    '4.JPE',
    '5.JFIF',
    '6.webp',
    '7.avif',
    '8.GIF',
    '9.tif',
    'a.tiff',
    'b.apng',
  ]
  await put(...names.map((name) => `a/${name}`))
  expect(await listed()).toEqual(names.map((name) => `0 a/${name}`))
  expect((await scanFolder(folder)).leftOut).toEqual([])
})

test('what is passed over is counted by kind, pictures first', async () => {
  await put('a/1.png', 'a/2.bmp', 'a/in/3.BMP', 'a/4.heic', 'a/n.txt', 'a/m.txt', 'a/o.txt', 'a/bare', 'a/.5.png')
  await put('6.png', 'list.csv')
  expect((await scanFolder(folder)).leftOut).toEqual([
    { kind: '.bmp', count: 2, isPicture: true },
    { kind: '.heic', count: 1, isPicture: true },
    { kind: 'hidden', count: 1, isPicture: true },
    { kind: 'outside the class folders', count: 1, isPicture: true },
    { kind: '.txt', count: 3, isPicture: false },
    { kind: '.csv', count: 1, isPicture: false },
    { kind: 'without suffix', count: 1, isPicture: false },
  ])
})

test('what systems put beside pictures holds none and is no class', async () => {
  await put('a/1.png', 'a/@eaDir/1.png/thumb.jpg', 'a/Thumbs.db', 'a/desktop.ini', 'a/.thumbnails/1.png', 'a/._1.png')
  await put('@eaDir/1.png', '__MACOSX/a/1.png', '#recycle/1.png', '.cache/1.png', '.DS_Store')
  const { classes, files, leftOut } = await scanFolder(folder)
  expect({ classes, files, leftOut }).toEqual({
    classes: ['a'],
    files: [{ path: join('a', '1.png'), label: 0 }],
    leftOut: [],
  })
})

test('a file without a suffix is a picture if it begins as one, also behind links', async () => {
  await put('a/1.png', 'a/words', '../store/blob')
  for (const path of ['a/2', '../store/3']) await writeFile(join(folder, path), 'GIF89a and so on')
  await link('a/4', '../../store/3')
  await link('a/5', '2')
  await link('a/6', '../../store/blob')
  await link('a/7', 'nowhere')
  expect(await listed()).toEqual(['0 a/1.png', '0 a/2', '0 a/4'])
  expect((await scanFolder(folder)).leftOut).toEqual([{ kind: 'without suffix', count: 3, isPicture: false }])
})

test('a class without a picture is told with what it has', async () => {
  await put('a/1.png', 'b/1.bmp', 'b/in/2.bmp', 'b/notes.txt')
  await expect(scanFolder(folder)).rejects.toThrow(
    `class folder ${join(folder, 'b')} holds no PNG, JPEG, WebP, AVIF, GIF or TIFF files (it has 2 .bmp, 1 .txt); fill it or remove it`,
  )
})

test('says which folders the class folders hold where they hold no picture themselves', async () => {
  await put('train/cat/1.png', 'train/dog/2.png', 'val/cat/3.png')
  expect((await scanFolder(folder)).innerFolders).toEqual([['cat', 'dog'], ['cat']])
  await put('val/4.png')
  expect((await scanFolder(folder)).innerFolders).toBeNull()
})

test('the first rules list PNG, JPEG and WebP by their commonest suffixes, and every visible folder', async () => {
  await put('a/1.png', 'a/2.jfif', 'a/3.gif', '@eaDir/4.png')
  await writeFile(join(folder, 'a/5'), 'GIF89a and so on')
  const { classes, files } = await scanFolder(folder, { rules: 1 })
  expect(classes).toEqual(['@eaDir', 'a'])
  expect(files.map(({ path }) => path)).toEqual([join('@eaDir', '4.png'), join('a', '1.png')])
})

test('tells of what it has found, and stops when told', async () => {
  await put('a/1.png', 'a/2.png', 'b/3.png')
  const found: number[] = []
  await scanFolder(folder, { onScan: (count) => found.push(count) })
  expect(found).toEqual([2, 3])
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(scanFolder(folder, { signal })).rejects.toThrow('enough')
})

test('class folders whose names look the same are refused', async (context) => {
  await put('caf\u00e9/1.png', 'cafe\u0301/2.png', 'cafe/3.png')
  if ((await readdir(folder)).length < 3) context.skip('this file system takes both names for one')
  await expect(scanFolder(folder)).rejects.toThrow(
    /two class folders cafe?.*, whose names differ only in how their accents are encoded \(NFC and NFD\); put their pictures into one/,
  )
})
