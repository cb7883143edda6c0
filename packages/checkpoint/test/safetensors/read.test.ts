import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openSafetensors, readSafetensors, SafetensorsError, type ByteSource } from '../../src/index.js'
import { buildFile } from '../build-file.js'
import { headerOf, oneAndMinusTwo, twoFloats } from './headers.js'

/** A source that notes which ranges are read. */
function counting(bytes: Uint8Array, name?: string): ByteSource & { ranges: [number, number][] } {
  const ranges: [number, number][] = []
  const read = async (start: number, end: number) => {
    ranges.push([start, end])
    return bytes.slice(start, end)
  }
  return name === undefined ? { size: bytes.length, read, ranges } : { size: bytes.length, name, read, ranges }
}

describe('a valid file', () => {
  test('gives the bytes worked out by hand', async () => {
    const file = readSafetensors(buildFile(twoFloats, oneAndMinusTwo))
    expect(file.entries).toEqual(new Map([['a', { dtype: 'F32', shape: [2], byteOffset: 62, byteLength: 8 }]]))
    expect(await file.tensor('a')).toEqual({ dtype: 'F32', shape: [2], data: Float32Array.of(1, -2) })
    expect({ ...file.metadata }).toEqual({})
  })

  test('may be an ArrayBuffer, or lie at an odd offset of another buffer', async () => {
    const bytes = buildFile(twoFloats, oneAndMinusTwo)
    expect((await readSafetensors(bytes.buffer as ArrayBuffer).tensor('a')).data).toEqual(Float32Array.of(1, -2))
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect((await readSafetensors(shifted.subarray(3)).tensor('a')).data).toEqual(Float32Array.of(1, -2))
  })

  test('may be a Buffer, whose slices are no copies', async () => {
    const pool = Buffer.concat([Buffer.alloc(1), buildFile(twoFloats, oneAndMinusTwo)])
    const file = readSafetensors(pool.subarray(1))
    const { data } = await file.tensor('a')
    pool.fill(0)
    expect(data).toEqual(Float32Array.of(1, -2))
  })

  test('gives copies that the caller may change', async () => {
    const bytes = buildFile(twoFloats, oneAndMinusTwo)
    const file = readSafetensors(bytes)
    const { data } = await file.tensor('a')
    data[0] = 5
    expect((await file.tensor('a')).data[0]).toBe(1)
    expect(bytes).toEqual(buildFile(twoFloats, oneAndMinusTwo))
  })

  test('may have no tensors, scalars, empty tensors, white space and tensors in any order', async () => {
    expect(readSafetensors(buildFile('{}')).entries.size).toBe(0)
    expect(readSafetensors(buildFile('{ \t\r\n}   ')).entries.size).toBe(0)
    const header = headerOf(['U8', '[]', '[2,3]'], ['I16', '[ 1 ]', '[0 ,2]'], ['F64', '[0, 7]', '[3,3]'])
    const file = readSafetensors(buildFile(header, Uint8Array.of(1, 2, 3)))
    expect([...file.entries.keys()]).toEqual(['a', 'b', 'c'])
    expect((await file.tensor('a')).data).toEqual(Uint8Array.of(3))
    expect((await file.tensor('b')).data).toEqual(Int16Array.of(0x0201))
    expect((await file.tensor('c')).data).toEqual(new Float64Array())
  })

  test('keeps header order for names that look like integers', () => {
    const header =
      '{"10":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"2":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    expect([...readSafetensors(buildFile(header)).entries.keys()]).toEqual(['10', '2'])
  })

  test('may use __proto__ and other built-in names for anything', async () => {
    const header =
      '{"__metadata__":{"__proto__":"p","toString":"s"},"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    const file = readSafetensors(buildFile(header, Uint8Array.of(9)))
    expect(Object.entries(file.metadata)).toEqual([
      ['__proto__', 'p'],
      ['toString', 's'],
    ])
    expect((await file.tensor('__proto__')).data).toEqual(Uint8Array.of(9))
    expect(Object.hasOwn(Object.prototype, 'dtype')).toBe(false)
    await expect(file.tensor('constructor')).rejects.toThrow('there is no tensor "constructor" among the 1')
  })

  test('may have a header length whose bytes are the magic of a pickle', () => {
    const header = `${twoFloats}${' '.repeat(0x0280 - twoFloats.length)}` // 0x0280 is stored as 80 02
    expect(readSafetensors(buildFile(header, oneAndMinusTwo)).entries.size).toBe(1)
  })

  test('of the reference implementation reads as it was written', async () => {
    const file = readSafetensors(readFileSync(new URL('../fixtures/direct-linear-100.safetensors', import.meta.url)))
    expect(file.metadata.kind).toBe('diffusion-constants')
    expect(file.entries.get('out.betas')).toMatchObject({ dtype: 'F64', shape: [100] })
    const { data } = await file.tensor('out.betas')
    expect([data[0], data[99]]).toEqual([0.0001, 0.02])
  })
})

describe('float32', () => {
  test('converts every floating dtype', async () => {
    const header = headerOf(
      ['F64', '[1]', '[0,8]'],
      ['F32', '[1]', '[8,12]'],
      ['F16', '[1]', '[12,14]'],
      ['BF16', '[1]', '[14,16]'],
    )
    const data = new Uint8Array(16)
    const view = new DataView(data.buffer)
    view.setFloat64(0, 0.1, true)
    view.setFloat32(8, 0.5, true)
    view.setUint16(12, 0x3c00, true)
    view.setUint16(14, 0xc000, true)
    const file = readSafetensors(buildFile(header, data))
    expect(await file.float32('a')).toEqual(Float32Array.of(Math.fround(0.1)))
    expect(await file.float32('b')).toEqual(Float32Array.of(0.5))
    expect(await file.float32('c')).toEqual(Float32Array.of(1))
    expect(await file.float32('d')).toEqual(Float32Array.of(-2))
  })

  test('refuses integers', async () => {
    const file = readSafetensors(buildFile(headerOf(['I32', '[0]', '[0,0]'])))
    await expect(file.float32('a')).rejects.toThrow(TypeError)
    await expect(file.float32('a')).rejects.toThrow(
      'tensor "a" must be F64, F32, F16, BF16 or float8 (I32); use tensor()',
    )
  })
})

describe('a source', () => {
  test('is asked for the header alone, then for each tensor', async () => {
    const source = counting(buildFile(twoFloats, oneAndMinusTwo))
    const file = await openSafetensors(source)
    expect(source.ranges).toEqual([
      [0, 16],
      [8, 62],
    ])
    expect((await file.tensor('a')).data).toEqual(Float32Array.of(1, -2))
    expect(source.ranges.at(-1)).toEqual([62, 70])
  })

  test('may give Buffers from a pool, at odd offsets', async () => {
    const bytes = Buffer.concat([Buffer.alloc(1), buildFile(twoFloats, oneAndMinusTwo)])
    const read = async (start: number, end: number) => bytes.subarray(1 + start, 1 + end)
    const file = await openSafetensors({ size: bytes.length - 1, read })
    expect((await file.tensor('a')).data).toEqual(Float32Array.of(1, -2))
  })

  test('that gives too few bytes is an error', async () => {
    const bytes = buildFile(twoFloats, oneAndMinusTwo)
    const file = await openSafetensors({
      size: bytes.length,
      read: async (start, end) => bytes.slice(start, Math.min(end, 66)),
    })
    await expect(file.tensor('a')).rejects.toThrow(SafetensorsError)
    await expect(file.tensor('a')).rejects.toThrow('tensor "a": reading bytes 62 to 70 gave 4 bytes, not 8')
  })

  test('is named in errors', async () => {
    await expect(openSafetensors(counting(new Uint8Array(3), 'x.bin'))).rejects.toThrow(
      'safetensors x.bin: a file must have at least 8 bytes (3)',
    )
  })

  test('must have a size', async () => {
    const source = { size: NaN, read: async () => new Uint8Array() }
    await expect(openSafetensors(source)).rejects.toThrow(
      'source must have a size in bytes and a read function (size NaN)',
    )
  })

  test('that claims to be huge is not believed before its header was', async () => {
    const head = new Uint8Array(16)
    new DataView(head.buffer).setBigUint64(0, 2n ** 40n, true)
    head[8] = 0x7b
    const source = { size: 2 ** 50, read: async (start: number, end: number) => head.slice(start, end) }
    await expect(openSafetensors(source)).rejects.toThrow('header must be at most 100000000 bytes (1099511627776)')
  })
})
