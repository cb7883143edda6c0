import { describe, expect, test } from 'vitest'
import { readTorch, TorchError, torchTensors } from '../../src/index.js'
import { bytesIn, int, pickle, text } from './build.js'

const magic = pickle(Uint8Array.of(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19))
const version = pickle(int(1001))
const system = pickle('}', text('little_endian'), 0x88, 's')
const keys = (...names: string[]) => pickle('](', ...names.map(text), 'e')

/** A count of elements in eight bytes, and the elements. */
function storage(...values: number[]): Uint8Array {
  return Uint8Array.of(
    ...new Uint8Array(BigInt64Array.of(BigInt(values.length)).buffer),
    ...new Uint8Array(Float32Array.from(values).buffer),
  )
}

/** A dict with one tensor over a storage that is a part of a stored one, as torch 0.1 to 0.3 wrote it. */
function viewed(offset: number, count: number, total = 4): Uint8Array {
  const view = ['(', text('view'), int(offset), int(count), 't']
  const id = ['(', text('storage'), 'ctorch\nFloatStorage\n', text('k'), text('cpu'), int(total), ...view, 'tQ']
  return pickle('}', text('a'), 'ctorch._utils\n_rebuild_tensor\n(', ...id, int(0), '(', int(2), 't(', int(1), 'ttRs')
}

const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap(bytesIn))

test('a view of a storage is read where it begins', async () => {
  const file = await readTorch(join(magic, version, system, viewed(1, 3), keys('k'), storage(0, 1, 2, 3)))
  expect(await torchTensors(file).float32('a')).toEqual(Float32Array.of(1, 2))
})

test('pickles longer than the first read are read whole', async () => {
  const long = pickle('}', text('long'), text('x'.repeat(200_000)), 's')
  const file = await readTorch(join(magic, version, system, long, keys()))
  expect((file.value as Map<string, string>).get('long')).toHaveLength(200_000)
})

describe('refused', () => {
  const whole = [magic, version, system, viewed(1, 3), keys('k'), storage(0, 1, 2, 3)] as const
  const other = (index: number, ...parts: Uint8Array[]) =>
    join(...whole.slice(0, index), ...parts, ...whole.slice(index + 1))

  test.each<[string, Uint8Array, string]>([
    ['another magic number', other(0, pickle(int(1))), 'must begin with the magic number of torch'],
    ['another version', other(1, pickle(int(1002))), 'the version must be 1001 (1002)'],
    ['big-endian', other(2, pickle('}', text('little_endian'), 0x89, 's')), 'the byte order must be little'],
    ['a storage in its facts', other(2, pickle('(tQ')), 'a persistent id must stand in the pickle of the object'],
    ['keys that are numbers', other(4, pickle(']', int(1), 'a')), 'the keys of storages must be strings'],
    ['a key that is not of the object', other(4, keys('j')), 'storage "j" must be of the object'],
    ['a key twice', other(4, keys('k', 'k')), 'storage "k" must be of the object, and stand in the file once'],
    ['a key that is missing', join(...whole.slice(0, 4), keys()), 'storage "k" must be in the file'],
    ['another count', other(5, storage(0, 1, 2)), 'storage "k" must have 4 elements (3)'],
    ['a storage that is cut short', join(...whole).slice(0, -1), 'storage "k" must lie within the file (cut short?)'],
    ['bytes after the last', join(...whole, Uint8Array.of(0)), 'the last 1 bytes belong to no storage'],
    ['a view beyond its storage', other(3, viewed(2, 3)), 'a view of a storage must lie within it'],
    ['a storage beyond the file', other(3, viewed(1, 3, 2 ** 40)), 'storage "k" must have 1099511627776 elements (4)'],
    [
      'an end within a pickle',
      join(magic, version, system).slice(0, -3),
      'the file ends within a pickle; it is cut short',
    ],
  ])('%s', async (_, bytes, message) => {
    const error = await readTorch(bytes).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TorchError)
    expect((error as Error).message).toContain(message)
  })
})
