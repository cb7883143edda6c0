import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSafetensorsFile, openFileSource, writeSafetensorsFile } from '../../src/node/index.js'
import { SafetensorsError, writeSafetensors, type StoredArray } from '../../src/index.js'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-checkpoint-'))
  path = join(folder, 'model.safetensors')
})
afterEach(() => rm(folder, { recursive: true }))

const f32 = (...values: number[]) =>
  ({ dtype: 'F32', shape: [values.length], data: Float32Array.from(values) }) as const
const arrays = {
  mask: { dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
  weight: f32(1, 2, 3),
  step: { dtype: 'I64', shape: [], data: BigInt64Array.of(5n) },
} satisfies Record<string, StoredArray>

describe('writeSafetensorsFile', () => {
  test('writes the bytes of writeSafetensors and says their size and SHA-256', async () => {
    const written = await writeSafetensorsFile(path, arrays, { metadata: { run: 'a' }, sync: true })
    const bytes = writeSafetensors(arrays, { run: 'a' })
    expect(Uint8Array.from(await readFile(path))).toEqual(bytes)
    expect(written).toEqual({ size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
    expect(await readdir(folder)).toEqual(['model.safetensors'])
  })

  test('asks for each tensor only when the one before is written', async () => {
    const asked: string[] = []
    const later = (name: keyof typeof arrays) => ({
      dtype: arrays[name].dtype,
      shape: arrays[name].shape,
      data: async () => {
        asked.push(name)
        return arrays[name].data
      },
    })
    const lazy = new Map(([['mask'], ['weight'], ['step']] as const).map(([name]) => [name, later(name)]))
    await writeSafetensorsFile(path, lazy)
    expect(asked).toEqual(['step', 'weight', 'mask'])
    expect(Uint8Array.from(await readFile(path))).toEqual(writeSafetensors(arrays))
  })

  test('keeps the old file and leaves no part of the new one when a tensor cannot be had', async () => {
    await writeSafetensorsFile(path, { weight: f32(7) })
    const before = await readFile(path)
    const failing = {
      a: f32(1),
      b: { dtype: 'F32', shape: [1], data: () => Promise.reject(new Error('lost')) },
    } as const
    await expect(writeSafetensorsFile(path, failing)).rejects.toThrow('lost')
    const wrong = { b: { dtype: 'F32', shape: [1], data: () => Float32Array.of(1, 2) } } as const
    await expect(writeSafetensorsFile(path, wrong)).rejects.toThrow(
      'writeSafetensorsFile: tensor "b": shape [1] must match the data (2 elements)',
    )
    expect(await readFile(path)).toEqual(before)
    expect(await readdir(folder)).toEqual(['model.safetensors'])
  })

  test('says which folder is missing', async () => {
    await expect(writeSafetensorsFile(join(folder, 'none', 'x'), arrays)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('openSafetensorsFile', () => {
  test('reads tensors one by one', async () => {
    await writeSafetensorsFile(path, arrays, { metadata: { run: 'a' } })
    const file = await openSafetensorsFile(path)
    expect(file.metadata.run).toBe('a')
    expect([...file.entries.keys()]).toEqual(['mask', 'weight', 'step'])
    expect(await file.tensor('step')).toEqual(arrays.step)
    expect(await file.float32('weight')).toEqual(arrays.weight.data)
    const [mask, weight] = await Promise.all([file.tensor('mask'), file.tensor('weight')])
    expect([mask, weight]).toEqual([arrays.mask, arrays.weight])
    await file.close()
  })

  test('after close, reading is an error and closing again is not', async () => {
    await writeSafetensorsFile(path, arrays)
    const file = await openSafetensorsFile(path)
    await file.close()
    await file.close()
    await expect(file.tensor('step')).rejects.toThrow(`the file must still be open (${path} is closed)`)
  })

  test('names the file in its errors', async () => {
    await writeFile(path, '{"not": "safetensors"}')
    await expect(openSafetensorsFile(path)).rejects.toThrow(SafetensorsError)
    await expect(openSafetensorsFile(path)).rejects.toThrow(`safetensors ${path}: header must be at most`)
  })

  test('notices a file that shrinks while it is open', async () => {
    await writeSafetensorsFile(path, arrays)
    const file = await openSafetensorsFile(path)
    await truncate(path, 40)
    await expect(file.tensor('weight')).rejects.toThrow('tensor "weight": reading bytes')
    await file.close()
  })

  test('refuses what is no file', async () => {
    await expect(openSafetensorsFile(path)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(openSafetensorsFile(folder)).rejects.toThrow(`path must be a file (${folder})`)
  })
})

test('openFileSource reads ranges', async () => {
  await writeFile(path, Uint8Array.of(0, 1, 2, 3, 4, 5))
  const source = await openFileSource(path)
  expect([source.size, source.name]).toEqual([6, path])
  expect(await source.read(2, 5)).toEqual(Uint8Array.of(2, 3, 4))
  expect(await source.read(4, 9)).toEqual(Uint8Array.of(4, 5))
  await source.close()
})
