import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readTorch, torchTensors } from '../../src/index.js'
import { openTorchFile, type TensorToWrite, writeTorchFile } from '../../src/node/index.js'
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
