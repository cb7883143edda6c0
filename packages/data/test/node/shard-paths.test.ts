import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { namesTarShards, shardPaths, TarShardsError } from '../../src/node/index.js'
import { expandBraces } from '../../src/node/shard-paths.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-data-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function put(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), '')
  }
}

async function refusal(shards: string | string[]): Promise<string> {
  const error: unknown = await shardPaths(shards).catch((thrown: unknown) => thrown)
  if (!(error instanceof TarShardsError)) throw new Error('was taken, or failed otherwise', { cause: error })
  return error.message
}

test('braces stand for lists and ranges, with zeros where they have them', () => {
  expect(expandBraces('a.tar')).toEqual(['a.tar'])
  expect(expandBraces('t-{008..011}.tar')).toEqual(['t-008.tar', 't-009.tar', 't-010.tar', 't-011.tar'])
  expect(expandBraces('{8..10}')).toEqual(['8', '9', '10'])
  expect(expandBraces('{0..010}')).toHaveLength(11)
  expect(expandBraces('{0..010}')[0]).toBe('000')
  expect(expandBraces('{a,b}/{0..1}.tar')).toEqual(['a/0.tar', 'a/1.tar', 'b/0.tar', 'b/1.tar'])
  expect(expandBraces('{x}{a,}{')).toEqual(['{x}a{', '{x}{'])
})

test('braces that cannot be meant are refused', () => {
  expect(() => expandBraces('{a,{b,c}}')).toThrow('{a,{b,c}} has braces in braces, which are not supported')
  expect(() => expandBraces('{3..1}')).toThrow('{3..1}: the range {3..1} runs backwards')
  expect(() => expandBraces('{0..999999999}')).toThrow('names more than 100000 shards')
  expect(() => expandBraces('{0..999}{0..999}')).toThrow('names more than 100000 shards')
})

test('a folder of shards, a list and several joined by :: are found, with names inside the folder of all', async () => {
  await put('s/b.tar', 's/a.TAR', 's/notes.txt', 's/.hidden.tar', 'more/c.tar')
  const all = await shardPaths(`${folder}/s::${folder}/more/{c,c}.tar`.replace('{c,c}', 'c'))
  expect(all).toEqual({
    paths: [join(folder, 's/a.TAR'), join(folder, 's/b.tar'), `${folder}/more/c.tar`],
    names: ['s/a.TAR', 's/b.tar', 'more/c.tar'],
    folder,
  })
  const listed = await shardPaths([join(folder, 's/b.tar'), join(folder, 's/a.TAR')])
  expect(listed.names).toEqual(['b.tar', 'a.TAR'])
  expect((await shardPaths(join(folder, 'more/c.tar'))).folder).toBe(join(folder, 'more'))
})

test('what cannot be found or read says so', async () => {
  await put('s/a.tar', 'packed/a.tar.gz', 'none/a.txt')
  expect(await refusal(`${folder}/s/{a,b}.tar`)).toBe(
    `openTarShards: there is no shard ${folder}/s/b.tar (of ${folder}/s/{a,b}.tar)`,
  )
  expect(await refusal(`${folder}/s/*.tar`)).toContain('patterns are not expanded: give the folder, or a list such as')
  expect(await refusal('https://host/a.tar')).toContain('is an address; shards must be files here')
  expect(await refusal('pipe:cat a.tar')).toContain('is an address')
  expect(await refusal(`${folder}/packed`)).toContain('packed/a.tar.gz is compressed; unpack it to a plain .tar')
  expect(await refusal(`${folder}/packed/a.tar.gz`)).toContain('is compressed')
  expect(await refusal(`${folder}/none`)).toContain('none holds no .tar file')
  expect(await refusal(`${folder}/s::${folder}/s/a.tar`)).toContain('s/a.tar is given twice')
  expect(await refusal([])).toBe('openTarShards: no shards were given')
})

test('a path means shards by its text, its kind, or what a folder holds', async () => {
  await put('tars/a.tar', 'classes/x/a.png', 'classes/backup.tar', 'packed/a.tgz', 'linked/a.tar')
  await symlink(join(folder, 'classes/x'), join(folder, 'linked/x'))
  const means = (path: string) => namesTarShards(join(folder, path))
  expect(await Promise.all(['tars', 'tars/a.tar', 'no/{0..3}.tar', 'no/a.tar', 'packed'].map(means))).toEqual(
    Array(5).fill(true),
  )
  // A folder with class folders stays one, whatever lies beside them.
  expect(await Promise.all(['classes', 'classes/x', 'linked', 'no', 'a{b}'].map(means))).toEqual(Array(5).fill(false))
})
