import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openShards, readSafetensors, ShardsError, writeSafetensors, type StoredArray } from '../src/index.js'
import { openShardsFile } from '../src/node/index.js'
import { pickle, tensor, text, torchZip } from './torch/build.js'

const folder = mkdtempSync(join(tmpdir(), 'dit-shards-'))
afterAll(() => rmSync(folder, { recursive: true }))

const f32 = (...values: number[]): StoredArray => ({
  dtype: 'F32',
  shape: [values.length],
  data: Float32Array.from(values),
})
const files: Record<string, Uint8Array> = {
  'a-1.safetensors': writeSafetensors({ one: f32(1), two: f32(2, 2) }),
  'a-2.safetensors': writeSafetensors({ three: f32(3, 3, 3) }),
  'a-2.bin': torchZip(pickle('}', text('three'), tensor(), 's')),
}
for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)

const weightMap = { one: 'a-1.safetensors', three: 'a-2.safetensors', two: 'a-1.safetensors' }
function source(index: unknown) {
  const bytes = new TextEncoder().encode(typeof index === 'string' ? index : JSON.stringify(index))
  return { size: bytes.length, name: 'index.json', read: async (start: number, end: number) => bytes.slice(start, end) }
}
const opened: string[] = []
const open = (index: unknown) =>
  openShards(source(index), async (name) => (opened.push(name), readSafetensors(files[name])))

test('tensors come from the files that the index names, each opened once', async () => {
  opened.length = 0
  const file = await open({ metadata: { total_size: 24 }, weight_map: weightMap })
  expect([...file.entries.keys()]).toEqual(['one', 'three', 'two'])
  expect(file.entries.get('two')).toMatchObject({ dtype: 'F32', shape: [2] })
  expect(await file.float32('three')).toEqual(Float32Array.of(3, 3, 3))
  expect(await file.tensor('one')).toEqual(f32(1))
  expect(opened).toEqual(['a-1.safetensors', 'a-2.safetensors'])
  await expect(file.tensor('four')).rejects.toThrow('index of shards index.json: there is no tensor "four" among the 3')
})

test('from a folder, safetensors and .bin', async () => {
  const path = join(folder, 'model.index.json')
  writeFileSync(path, JSON.stringify({ weight_map: { ...weightMap, three: 'a-2.bin' } }))
  const file = await openShardsFile(path)
  expect(await file.float32('three')).toEqual(Float32Array.of(0, 0))
  expect(await file.float32('two')).toEqual(Float32Array.of(2, 2))
  await file.close()
  await expect(file.float32('two')).rejects.toThrow('must still be open')
  await expect(file.float32('three')).rejects.toThrow('must still be open')
})

describe('refused before a file is opened', () => {
  test.each([
    ['../a-1.safetensors'],
    ['/etc/passwd'],
    ['sub/a.safetensors'],
    ['sub\\a.safetensors'],
    ['C:a.safetensors'],
    ['..'],
    ['.hidden'],
    [''],
    ['a\0b'],
    ['a.'],
    ['https://example.com/a'],
    ['a'.repeat(300)],
  ])('a file %j', async (name) => {
    opened.length = 0
    await expect(open({ weight_map: { one: name } })).rejects.toThrow(
      'index of shards index.json: tensor "one" must be in a file beside the index',
    )
    expect(opened).toEqual([])
  })

  test.each<[string, unknown, string]>([
    ['no JSON', '{', 'must be JSON'],
    ['no object', [], 'must have a "weight_map"'],
    ['no map', { weight_map: null }, 'must have a "weight_map"'],
    ['a list as map', { weight_map: ['a'] }, 'must have a "weight_map"'],
    ['a number for a file', { weight_map: { one: 1 } }, 'must be in a file beside the index (number)'],
    ['deep nesting', '['.repeat(1_000_000), 'must be JSON'],
    [
      'too many files',
      { weight_map: Object.fromEntries(Array.from({ length: 4097 }, (_, i) => [i, `f${i}`])) },
      'at most 4096 files (4097)',
    ],
    [
      'a tensor that is not there',
      { weight_map: { ...weightMap, four: 'a-2.safetensors' } },
      'tensor "four" must be in "a-2.safetensors"',
    ],
    [
      'a tensor that is not listed',
      { weight_map: { one: 'a-1.safetensors' } },
      'tensor "two" of "a-1.safetensors" must be in the index',
    ],
    [
      'a prototype',
      '{"weight_map":{"__proto__":"a-1.safetensors"}}',
      'tensor "__proto__" must be in "a-1.safetensors"',
    ],
  ])('%s', async (_, index, message) => {
    await expect(open(index)).rejects.toThrow(message)
    await expect(open(index)).rejects.toThrow(ShardsError)
  })

  test('an index of a gigabyte, without reading it', async () => {
    const read = () => Promise.reject(new Error('read'))
    const index = { size: 2 ** 30, read }
    await expect(openShards(index, async (name) => readSafetensors(files[name]))).rejects.toThrow(
      'must be at most 33554432 bytes (1073741824)',
    )
  })
})

test('closes every file, at the end and where one of them cannot be used', async () => {
  const closed: string[] = []
  const opening = (index: unknown, last: string) =>
    openShards(source(index), async (name) => {
      if (name === last) throw new Error('gone')
      const close = async () => void closed.push(name)
      return { ...readSafetensors(files[name]), close }
    })
  await expect(opening({ weight_map: weightMap }, 'a-2.safetensors')).rejects.toThrow('gone')
  expect(closed.splice(0)).toEqual(['a-1.safetensors'])
  await expect(opening({ weight_map: { one: 'a-1.safetensors' } }, '')).rejects.toThrow('must be in the index')
  expect(closed.splice(0)).toEqual(['a-1.safetensors'])
  await (await opening({ weight_map: weightMap }, '')).close()
  expect(closed).toEqual(['a-1.safetensors', 'a-2.safetensors'])
})
