import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readTorch, torchTensors } from '../../src/index.js'
import { openTensorFile, openTorchFile, type TensorToWrite, writeTorchFile } from '../../src/node/index.js'
import { readZipDirectory } from '../../src/zip/directory.js'
import { findZipContent } from '../../src/zip/read-entry.js'
import { localHeader, zipDirectory } from '../../src/zip/write.js'
import { namedArrays } from '../arbitrary.js'
import { sparse } from './sparse.js'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-write-torch-'))
  path = join(folder, 'model.pt')
})
afterEach(() => rm(folder, { recursive: true }))

test('every dtype, shape and name is read back as it was, bit for bit', async () => {
  await fc.assert(
    fc.asyncProperty(namedArrays, async (arrays) => {
      const { size, sha256 } = await writeTorchFile(path, arrays)
      const bytes = new Uint8Array(await readFile(path))
      expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([size, sha256])
      const read = torchTensors(await readTorch(bytes))
      expect([...read.entries.keys()]).toEqual([...arrays.keys()])
      for (const [name, array] of arrays) expect(await read.tensor(name)).toEqual(array)
    }),
    { numRuns: 100 },
  )
})

test('the elements of every tensor begin at a multiple of 64 bytes, and one is held at a time', async () => {
  let held = 0
  const tensors = Object.fromEntries(
    [3, 1, 7].map((count): [string, TensorToWrite] => {
      const data = async () => {
        expect(++held).toBe(1)
        await Promise.resolve()
        held--
        return new Float32Array(count).fill(count)
      }
      return [`of-${count}`, { dtype: 'F32', shape: [count], data }]
    }),
  )
  await writeTorchFile(path, tensors, { sync: true })
  expect(await readdir(folder)).toEqual(['model.pt'])
  const bytes = await readFile(path)
  for (const count of [3, 1, 7]) {
    const content = Buffer.from(new Float32Array(count).fill(count).buffer)
    expect(bytes.indexOf(content) % 64).toBe(0)
  }
  const file = await openTorchFile(path)
  expect(await torchTensors(file).float32('of-3')).toEqual(Float32Array.of(3, 3, 3))
  await file.close()
})

test('leaves nothing behind when a tensor cannot be had or is another than it says', async () => {
  const gone: TensorToWrite = { dtype: 'F32', shape: [1], data: () => Promise.reject(new Error('gone')) }
  await expect(writeTorchFile(path, { gone })).rejects.toThrow('gone')
  await expect(writeTorchFile(path, { a: { dtype: 'F32', shape: [2], data: new Float32Array(1) } })).rejects.toThrow(
    'writeTorchFile: tensor "a": shape [2] must match the data (1 elements)',
  )
  await expect(
    writeTorchFile(path, { '\ud800': { dtype: 'F32', shape: [0], data: new Float32Array() } }),
  ).rejects.toThrow('writeTorchFile: names must be well-formed Unicode')
  expect(await readdir(folder)).toEqual([])
})

const GiB = 2 ** 30

test('entries beyond 4 GiB stand in zip64', async () => {
  const large = { name: 'archive/data/0', bytes: 5 * GiB, crc: 1, byteOffset: 0 }
  const head = localHeader(large, 64)
  expect(head.length % 64).toBe(0)
  const behind = { name: 'archive/data/1', bytes: 8, crc: 2, byteOffset: head.length + large.bytes }
  const second = localHeader(behind, 64)
  const at = behind.byteOffset + second.length + behind.bytes
  const source = sparse([
    [0, head],
    [behind.byteOffset, second],
    [at, zipDirectory([large, behind], at)],
  ])
  const fail = (problem: string) => new Error(problem)
  const entries = await readZipDirectory(source, fail)
  expect([...entries.values()]).toMatchObject([large, behind])
  expect(await findZipContent(source, entries.get(behind.name)!, fail)).toBe(behind.byteOffset + second.length)
})

const one: Readonly<Record<string, TensorToWrite>> = { w: { dtype: 'F32', shape: [1], data: Float32Array.of(1) } }

test('metadata lie beside the pickle, and come back with the tensors', async () => {
  await writeTorchFile(path, one, { metadata: { 'dit.config': '{}', ['__proto__']: 'é' } })
  const file = await readTorch(new Uint8Array(await readFile(path)))
  expect(Object.entries(file.metadata)).toEqual([
    ['dit.config', '{}'],
    ['__proto__', 'é'],
  ])
  expect([...(file.value as Map<string, unknown>).keys()]).toEqual(['w'])
  expect(torchTensors(file).metadata).toBe(file.metadata)
  const opened = await openTensorFile(path)
  expect(opened.metadata).toEqual(file.metadata)
  await opened.close()
})

test('without metadata the file has no entry for them', async () => {
  await writeTorchFile(path, one)
  const file = await openTorchFile(path)
  expect(file.metadata).toEqual({})
  await file.close()
  expect((await readFile(path)).includes('metadata.json')).toBe(false)
})

test('metadata that are no strings, or too many, are refused before anything is written', async () => {
  await expect(writeTorchFile(path, one, { metadata: { a: 1 as never } })).rejects.toThrow(
    'writeTorchFile: metadata "a" must be a string',
  )
  await expect(writeTorchFile(path, one, { metadata: { a: 'x'.repeat(2 ** 20) } })).rejects.toThrow(
    'metadata must be at most 1048576 bytes',
  )
  expect(await readdir(folder)).toEqual([])
})

test.each([
  ['[1]', 'must be a JSON object'],
  ['{"a": 1}', '"a" must be a string'],
  ['{', 'must be JSON'],
])('an entry of metadata that holds %s is refused', async (text, problem) => {
  await writeTorchFile(path, one, { metadata: { a: '' } })
  const bytes = await readFile(path)
  // As long as what stands there, so that nothing else moves; a checksum of 0 is not compared.
  const old = Buffer.from('{"a":""}')
  const at = bytes.indexOf(old)
  bytes.set(Buffer.from(text.padEnd(old.length)), at)
  const entries = await readZipDirectory(
    { size: bytes.length, read: async (start, end) => new Uint8Array(bytes.subarray(start, end)) },
    (problem) => new Error(problem),
  )
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(entries.get('archive/extra/metadata.json')!.crc)
  for (let found = bytes.indexOf(crc); found >= 0; found = bytes.indexOf(crc)) bytes.fill(0, found, found + 4)
  await expect(readTorch(new Uint8Array(bytes))).rejects.toThrow(`entry "archive/extra/metadata.json": ${problem}`)
})
