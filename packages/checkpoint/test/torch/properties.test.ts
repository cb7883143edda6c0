import * as fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readTorch, TorchError, type TorchFile, TorchTensor, torchTensors, type StoredDType } from '../../src/index.js'
import { unless } from '../caught.js'
import { pickle, tensor, text, torchZip } from './build.js'

const classes: Partial<Record<StoredDType, string>> = {
  F64: 'Double',
  F32: 'Float',
  F16: 'Half',
  I32: 'Int',
  U8: 'Byte',
}
const sizes: Partial<Record<StoredDType, number>> = { F64: 8, F32: 4, F16: 2, I32: 4, U8: 1 }

/** A strided view and the storage that it needs. */
const views = fc
  .record({
    dtype: fc.constantFrom<StoredDType>('F64', 'F32', 'F16', 'I32', 'U8'),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    strides: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 4 }),
    offset: fc.integer({ min: 0, max: 5 }),
    seed: fc.integer({ min: 0, max: 255 }),
  })
  .map(({ strides, ...view }) => ({ ...view, strides: strides.slice(0, view.shape.length) }))

test('a strided view has the elements at the sums of its strides', async () => {
  await fc.assert(
    fc.asyncProperty(views, async ({ dtype, shape, strides, offset, seed }) => {
      const places = shape.reduce<number[]>(
        (places, size, axis) =>
          places.flatMap((place) => Array.from({ length: size }, (_, i) => place + i * strides[axis])),
        [offset],
      )
      const count = Math.max(offset, ...places) + 1
      const bytes = Uint8Array.from({ length: count * sizes[dtype]! }, (_, i) => (i * 7 + seed) & 255)
      const view = tensor({ type: `torch\n${classes[dtype]}Storage\n`, count, offset, shape, strides })
      const file = await readTorch(torchZip(pickle('}', text('a'), view, 's'), { 0: bytes }))
      const { data } = await torchTensors(file).tensor('a')
      const got = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      const size = sizes[dtype]!
      expect([...got]).toEqual(places.flatMap((place) => [...bytes.subarray(place * size, (place + 1) * size)]))
    }),
    { numRuns: 200 },
  )
})

const folder = join(import.meta.dirname, '../fixtures/torch')
const seeds = ['zip-2', 'zip-4', 'legacy-2', 'legacy-4'].map((name) =>
  Uint8Array.from(readFileSync(join(folder, `${name}.pt`))),
)

/** Reads every tensor that is reached within a few levels. */
async function readAll(file: TorchFile): Promise<number> {
  let bytes = 0
  const look = async (value: unknown, depth: number): Promise<void> => {
    if (value instanceof TorchTensor) bytes += (await file.tensor(value)).data.byteLength
    else if (depth < 4 && value instanceof Map) for (const item of value.values()) await look(item, depth + 1)
  }
  await look(file.value, 0)
  return bytes
}

const edits = fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255)), {
  minLength: 1,
  maxLength: 6,
})

test('changed bytes are refused by name, or give tensors no larger than allowed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...seeds), edits, async (seed, edits) => {
      const bytes = seed.slice()
      for (const [where, value] of edits) bytes[Math.floor(where * bytes.length)] = value
      const read = await unless(TorchError, readTorch(bytes).then(readAll))
      expect(read ?? 0).toBeLessThanOrEqual(2 ** 24)
    }),
    { numRuns: 400 },
  )
})

test('a file that is cut anywhere is refused', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...seeds),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      async (seed, where) => {
        await expect(readTorch(seed.slice(0, Math.floor(where * seed.length)))).rejects.toThrow(TorchError)
      },
    ),
    { numRuns: 100 },
  )
})

test('any pickle at all is refused by name or a value', async () => {
  const opcodes = fc.constantFrom(
    ...Array.from('(.012GJKMNQRTUXabc]}eghjlqrstu)BC'),
    ...Array.from({ length: 23 }, (_, i) => 0x80 + i),
  )
  const words = fc.constantFrom(
    'ctorch\nFloatStorage\n',
    'ccollections\nOrderedDict\n',
    'cbuiltins\nset\n',
    'h\0',
    'q\0',
    'K\x01',
  )
  const parts = fc.array(fc.oneof(opcodes, words, fc.constant(tensor())), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(parts, async (parts) => {
      const file = await unless(TorchError, readTorch(torchZip(pickle(...parts))))
      expect(file?.value === undefined).toBe(file === undefined)
    }),
    { numRuns: 1500 },
  )
})
