import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readClassNames, TarShardsError } from '../../src/node/index.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-data-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function names(content: string, file = 'classes.json'): Promise<string[]> {
  await writeFile(join(folder, file), content)
  return readClassNames(join(folder, file))
}

test('names are read from a list, from an object by number, and from lines', async () => {
  expect(await names('["tench", "gold fish"]')).toEqual(['tench', 'gold fish'])
  expect(await names('{"1": "b", "0": "a"}')).toEqual(['a', 'b'])
  expect(await names('\uFEFFtench\r\ngold fish\n\n', 'names.txt')).toEqual(['tench', 'gold fish'])
})

test('what holds no names for all classes is refused', async () => {
  const cases: [string, string][] = [
    ['{"a": "tench"}', 'has no name for class 0: its keys must be the numbers 0 to 0'],
    ['{"0": "a", "2": "c"}', 'has no name for class 1: its keys must be the numbers 0 to 1'],
    ['["a", 3]', 'has no name for class 1'],
    ['["a", " "]', 'has no name for class 1'],
    ['["crane", "b", "crane"]', 'names classes 0 and 2 alike, crane; tell them apart'],
    ['[]', 'holds no class names'],
    ['3', 'must hold a list of names, or an object from numbers to names'],
    ['[', 'is no JSON'],
  ]
  for (const [content, text] of cases) await expect(names(content)).rejects.toThrow(text)
  await expect(names('a\n\nb', 'names.txt')).rejects.toThrow('has no name for class 1')
  await expect(readClassNames(join(folder, 'gone'))).rejects.toThrow('gone does not exist; check the path')
  await expect(readClassNames(folder)).rejects.toThrow(TarShardsError)
  await expect(readClassNames(folder)).rejects.toThrow('is no file; give a JSON list of class names')
})
