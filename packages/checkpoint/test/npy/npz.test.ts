import { zipSync } from 'fflate'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NpyError, openNpz, readNpz, writeNpy, writeNpz, type StoredArray } from '../../src/index.js'
import { namedArrays } from '../arbitrary.js'
import { unless } from '../caught.js'

const samples: StoredArray = {
  dtype: 'U8',
  shape: [2, 2, 2, 3],
  data: Uint8Array.from({ length: 24 }, (_, i) => i * 10),
}
const labels: StoredArray = { dtype: 'I64', shape: [2], data: BigInt64Array.of(7n, -1n) }
const zeros: StoredArray = { dtype: 'F32', shape: [64, 64], data: new Float32Array(4096) }

/** Places of the record with this signature in a zip archive. */
function placeOf(bytes: Uint8Array, signature: number): number {
  const view = new DataView(bytes.buffer)
  for (let at = 0; at + 4 <= bytes.length; at++) if (view.getUint32(at, true) === signature) return at
  throw new Error('no such record')
}

const directoryEntry = 0x02014b50
const localHeader = 0x04034b50
const endRecord = 0x06054b50

/** The archive of one array, with one field of one of its records changed. */
function changed(compress: boolean, signature: number, offset: number, value: number, size: 2 | 4): Uint8Array {
  const bytes = writeNpz({ arr_0: zeros }, { compress })
  const view = new DataView(bytes.buffer)
  const at = placeOf(bytes, signature) + offset
  if (size === 2) view.setUint16(at, value, true)
  else view.setUint32(at, value, true)
  return bytes
}

test.each([false, true])('arrays come back in order; compress %s', async (compress) => {
  const arrays = await readNpz(writeNpz({ arr_0: samples, arr_1: labels }, { compress }))
  expect([...arrays]).toEqual([
    ['arr_0', samples],
    ['arr_1', labels],
  ])
})

test('compress makes zeros small', () => {
  expect(writeNpz({ zeros }).length).toBeGreaterThan(16384)
  expect(writeNpz({ zeros }, { compress: true }).length).toBeLessThan(400)
})

test('the same arrays give the same bytes', () => {
  expect(writeNpz({ samples })).toEqual(writeNpz({ samples }))
  const view = new DataView(writeNpz({ samples }).buffer)
  expect(view.getUint32(10, true)).toBe(0x00210000) // midnight of 1 January 1980
})

test('a Buffer, whose slices are no copies, may lie anywhere', async () => {
  const bytes = writeNpz({ samples, labels })
  const pool = Buffer.concat([Buffer.alloc(1), bytes])
  const arrays = await readNpz(pool.subarray(1))
  expect(arrays.get('labels')).toEqual(labels)
  pool.fill(0)
  expect(arrays.get('samples')).toEqual(samples)
})

test('an archive without arrays is fine', async () => {
  expect((await readNpz(writeNpz({}))).size).toBe(0)
})

test('opening reads the directory alone', async () => {
  const bytes = writeNpz({ zeros, labels })
  const starts: number[] = []
  const read = async (start: number, end: number) => (starts.push(start), bytes.slice(start, end))
  const file = await openNpz({ size: bytes.length, read })
  expect(file.names).toEqual(['zeros', 'labels'])
  expect(starts.length).toBe(2)
  expect(await file.array('labels')).toEqual(labels)
  expect(starts.length).toBe(4)
})

test('what is written reads back, bit for bit', async () => {
  const writable = namedArrays.map((arrays) => new Map([...arrays].filter(([, { dtype }]) => !/^BF16|F8/.test(dtype))))
  await fc.assert(
    fc.asyncProperty(writable, fc.boolean(), async (arrays, compress) => {
      expect(await readNpz(writeNpz(arrays, { compress }))).toEqual(arrays)
    }),
    { numRuns: 50 },
  )
})

test('a changed byte is refused by name or does no harm', async () => {
  const original = { arr_0: samples, arr_1: labels }
  const wanted = new Map(Object.entries(original))
  const archives = [writeNpz(original), writeNpz(original, { compress: true })]
  let refused = 0
  await fc.assert(
    fc.asyncProperty(fc.nat(1), fc.nat(100_000), fc.nat(255), async (which, place, value) => {
      const bytes = archives[which].slice()
      bytes[place % bytes.length] = value
      const arrays = await unless(NpyError, readNpz(bytes))
      if (!arrays) refused++
      // Names have no checksum, contents do.
      expect([...(arrays ?? wanted).values()]).toEqual([...wanted.values()])
    }),
    { numRuns: 1500 },
  )
  expect(refused).toBeGreaterThan(300)
})

test('reads zip64, as archives beyond 4 GiB are written', async () => {
  const npy = writeNpy(labels)
  const bytes = new Uint8Array(1000)
  const view = new DataView(bytes.buffer)
  const name = new TextEncoder().encode('a.npy')
  view.setUint32(0, localHeader, true)
  view.setUint16(26, name.length, true)
  bytes.set(name, 30)
  bytes.set(npy, 35)
  let at = 35 + npy.length
  const directoryStart = at
  view.setUint32(at, directoryEntry, true)
  bytes.set(writeNpz({ a: labels }).slice(14, 18), at + 16) // the checksum
  for (const full of [20, 24, 42]) view.setUint32(at + full, 0xffffffff, true)
  view.setUint16(at + 28, name.length, true)
  view.setUint16(at + 30, 5 + 28, true)
  bytes.set(name, at + 46)
  at += 51
  bytes.set([0x99, 0x99, 1, 0, 7], at) // a field of another kind comes first
  view.setUint16(at + 5, 1, true)
  view.setUint16(at + 7, 24, true)
  view.setBigUint64(at + 9, BigInt(npy.length), true)
  view.setBigUint64(at + 17, BigInt(npy.length), true)
  view.setBigUint64(at + 25, 0n, true)
  at += 33
  const record = at
  view.setUint32(at, 0x06064b50, true)
  view.setBigUint64(at + 32, 1n, true)
  view.setBigUint64(at + 40, BigInt(record - directoryStart), true)
  view.setBigUint64(at + 48, BigInt(directoryStart), true)
  at += 56
  view.setUint32(at, 0x07064b50, true)
  view.setBigUint64(at + 8, BigInt(record), true)
  at += 20
  view.setUint32(at, endRecord, true)
  for (const full of [8, 10]) view.setUint16(at + full, 0xffff, true)
  for (const full of [12, 16]) view.setUint32(at + full, 0xffffffff, true)
  expect(await readNpz(bytes.subarray(0, at + 22))).toEqual(new Map([['a', labels]]))
})

describe('refuses', () => {
  test.each([
    ['what is no archive', new Uint8Array(100), 'npz: must be a zip archive (no end of a directory found; cut short?)'],
    ['an empty file', new Uint8Array(), 'must be a zip archive'],
    ['an archive cut short', writeNpz({ zeros }).subarray(0, -1), 'must be a zip archive'],
    [
      'entries that are not npy',
      zipSync({ 'readme.txt': new Uint8Array(1) }),
      'entry "readme.txt" must be an npy file',
    ],
    ['a damaged npy', zipSync({ 'a.npy': new Uint8Array(9) }), 'array "a": must begin with the npy magic'],
    [
      'an npy with left-over bytes',
      zipSync({ 'a.npy': Uint8Array.of(...writeNpy(labels), 0) }),
      'array "a": I64 [2] must have 16 bytes (17)',
    ],
    ['encryption', changed(false, directoryEntry, 8, 1, 2), 'zip entry "arr_0.npy" must not be encrypted'],
    ['another compression', changed(false, directoryEntry, 10, 14, 2), 'must be stored or deflated (method 14)'],
    [
      'stored sizes that differ',
      changed(false, directoryEntry, 24, 16000, 4),
      'is stored, so its sizes must agree (16512, 16000)',
    ],
    ['a wrong checksum', changed(false, directoryEntry, 16, 1, 4), 'array "arr_0": content must have CRC-32 00000001'],
    [
      'a size that is too small',
      changed(true, directoryEntry, 24, 16000, 4),
      'array "arr_0": deflated content must have 16000 bytes',
    ],
    ['a size that is too big', changed(true, directoryEntry, 24, 16513, 4), 'deflated content must have 16513 bytes'],
    [
      'a size that deflate cannot reach',
      changed(true, directoryEntry, 24, 2 ** 31, 4),
      '2147483648 bytes must be able to come out of',
    ],
    [
      'an offset past the data',
      changed(false, directoryEntry, 42, 20000, 4),
      'must not overlap the next one or the directory',
    ],
    ['an offset into the data', changed(true, directoryEntry, 42, 1, 4), 'must begin with its signature'],
    [
      'a local name that runs over',
      changed(false, localHeader, 26, 60000, 2),
      'must not overlap the next one or the directory',
    ],
    [
      'a directory outside the file',
      changed(false, endRecord, 16, 2 ** 31, 4),
      'zip directory must lie within the file',
    ],
    ['too many entries', changed(false, endRecord, 10, 9000, 2), 'zip archive must be in one part'],
    [
      'a directory that is too short',
      changed(false, endRecord, 12, 40, 4),
      'zip directory of 40 bytes cannot hold 1 entries',
    ],
    ['several parts', changed(false, endRecord, 4, 1, 2), 'zip archive must be in one part'],
  ])('%s', async (_, bytes, text) => {
    const error = await readNpz(bytes).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(NpyError)
    expect(String(error)).toContain(text)
  })

  test('two entries of one name', async () => {
    const bytes = writeNpz({ a: labels, b: labels })
    bytes.forEach((value, i) => {
      if (value === 0x62 && bytes[i + 1] === 0x2e && bytes[i + 2] === 0x6e) bytes[i] = 0x61 // b.npy to a.npy
    })
    await expect(readNpz(bytes)).rejects.toThrow('zip entry "a.npy" must stand in the directory once')
  })

  test('arrays beyond maxBytes, before unpacking them', async () => {
    const bytes = writeNpz({ zeros }, { compress: true })
    await expect(readNpz(bytes, { maxBytes: 1000 })).rejects.toThrow(
      'array "zeros": must have at most 1000 bytes (16512); raise maxBytes if that is right',
    )
  })

  test('names that are not there', async () => {
    const bytes = writeNpz({ a: labels })
    const file = await openNpz({
      size: bytes.length,
      name: 'x.npz',
      read: async (start, end) => bytes.slice(start, end),
    })
    await expect(file.array('toString')).rejects.toThrow('npz x.npz: there is no array "toString" among the 1')
  })
})
