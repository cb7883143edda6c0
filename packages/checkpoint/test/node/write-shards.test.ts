import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSafetensorsFile, openShardsFile, type TensorToWrite, writeShards } from '../../src/node/index.js'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-write-shards-'))
  path = join(folder, 'model.safetensors')
})
afterEach(() => rm(folder, { recursive: true }))

/** Tensors of 4, 8, 40 and 4 bytes, fetched when asked for. */
const counts = { a: 1, b: 2, large: 10, c: 1 }
const tensors = new Map<string, TensorToWrite>(
  Object.entries(counts).map(([name, count]) => [
    name,
    { dtype: 'F32', shape: [count], data: () => new Float32Array(count).fill(count) },
  ]),
)
const metadata = { note: 'kept' }

test('each file takes what fits, in order; a larger tensor has its own', async () => {
  const written = await writeShards(path, tensors, { maxBytes: 12, metadata, sync: true })
  expect((await readdir(folder)).toSorted()).toEqual([
    'model-00001-of-00003.safetensors',
    'model-00002-of-00003.safetensors',
    'model-00003-of-00003.safetensors',
    'model.safetensors.index.json',
  ])
  const index: unknown = JSON.parse(await readFile(`${path}.index.json`, 'utf8'))
  expect(index).toEqual({
    metadata: { total_size: 56 },
    weight_map: {
      a: 'model-00001-of-00003.safetensors',
      b: 'model-00001-of-00003.safetensors',
      large: 'model-00002-of-00003.safetensors',
      c: 'model-00003-of-00003.safetensors',
    },
  })
  for (const { path: file, size } of written) expect((await readFile(file)).length).toBe(size)

  const file = await openShardsFile(`${path}.index.json`)
  expect(file.metadata).toEqual(metadata)
  expect([...file.entries.keys()]).toEqual(Object.keys(counts))
  for (const [name, count] of Object.entries(counts)) {
    expect(await file.float32(name)).toEqual(new Float32Array(count).fill(count))
  }
  await file.close()
})

test('where one file is enough there is one, as if it were not cut', async () => {
  const [{ path: only }, ...others] = await writeShards(path, tensors, { maxBytes: 56, metadata })
  expect([only, others, await readdir(folder)]).toEqual([path, [], ['model.safetensors']])
  const file = await openSafetensorsFile(path)
  expect([file.metadata, [...file.entries.keys()]]).toEqual([metadata, Object.keys(counts)])
  await file.close()
  expect((await writeShards(path, {}, { maxBytes: 1 })).length).toBe(1)
})

test('what was written is removed when a tensor cannot be had', async () => {
  const broken = new Map(tensors).set('c', { dtype: 'F32', shape: [1], data: () => Promise.reject(new Error('gone')) })
  await expect(writeShards(path, broken, { maxBytes: 12 })).rejects.toThrow('gone')
  expect(await readdir(folder)).toEqual([])
})

test('refuses other names and limits', async () => {
  await expect(writeShards('model.bin', tensors, { maxBytes: 1 })).rejects.toThrow(
    new RangeError('writeShards: path must end in .safetensors (model.bin)'),
  )
  await expect(writeShards(path, tensors, { maxBytes: 0 })).rejects.toThrow(
    new RangeError('writeShards: maxBytes must be a positive integer (got 0)'),
  )
})
