import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  TorchPlaceholder,
  openTorch,
  readTorch,
  type TorchFile,
  TorchTensor,
  torchTensors,
  toFloat32,
  type TorchValue,
} from '../../src/index.js'

// Made by tools/oracle/torch-files.py with torch 2.15.0 and numpy 2.4.6.
const folder = join(import.meta.dirname, '../fixtures/torch')
const open = (name: string) => readTorch(readFileSync(join(folder, `${name}.pt`)))

function at(value: TorchValue, ...keys: readonly (string | number)[]): TorchValue {
  return keys.reduce((value: TorchValue, key) => (value as ReadonlyMap<unknown, TorchValue>).get(key) ?? null, value)
}

/** Shape and values of every tensor of a dict, as numbers. */
async function numbersIn(file: TorchFile, dict: TorchValue) {
  const tensors = torchTensors(file, dict)
  const found: Record<string, { shape: readonly number[]; values: number[] }> = {}
  for (const [name, { shape }] of tensors.entries) {
    const array = await tensors.tensor(name)
    const values = array.dtype.startsWith('F8') ? toFloat32(array) : array.data
    found[name] = { shape, values: Array.from<number | bigint, number>(values, Number) }
  }
  return found
}

test.each(['zip-2', 'legacy-2'])('%s: every dtype has its typed array', async (name) => {
  const file = await open(name)
  const dict = torchTensors(file, at(file.value, 'dtypes'))
  const kinds = [...dict.entries].map(([name, { dtype }]) => [name, dtype])
  expect(kinds).toEqual([
    ['float64', 'F64'],
    ['float32', 'F32'],
    ['float16', 'F16'],
    ['bfloat16', 'BF16'],
    ['int64', 'I64'],
    ['int32', 'I32'],
    ['int16', 'I16'],
    ['int8', 'I8'],
    ['uint8', 'U8'],
    ['bool', 'BOOL'],
  ])
  expect((await dict.tensor('int64')).data).toEqual(BigInt64Array.of(0n, 1n, 2n))
  expect((await dict.tensor('bool')).data).toEqual(Uint8Array.of(0, 1))
  for (const name of ['float64', 'float32', 'float16', 'bfloat16']) {
    expect(await dict.float32(name)).toEqual(Float32Array.of(0, 1, 2))
  }
  await expect(dict.float32('int8')).rejects.toThrow('tensor "int8" must be F64, F32, F16, BF16 or float8 (I8)')
})

test('tensors of dtypes without a storage class of their own', async () => {
  const file = await open('zip-2')
  const untyped = at(file.value, 'untyped')
  const dtypes = [...torchTensors(file, untyped).entries.values()].map(({ dtype }) => dtype)
  expect(dtypes).toEqual(['U16', 'U32', 'U64', 'F8_E4M3', 'F8_E5M2'])
  for (const { values } of Object.values(await numbersIn(file, untyped))) expect(values).toEqual([0, 1, 2])
})

test.each(['zip-2', 'zip-3', 'zip-4', 'zip-5', 'legacy-2', 'legacy-4'])(
  '%s: views show what they show in torch',
  async (name) => {
    const file = await open(name)
    expect(await numbersIn(file, at(file.value, 'views'))).toEqual({
      whole: { shape: [24], values: Array.from({ length: 24 }, (_, i) => i) },
      offset: { shape: [4], values: [20, 21, 22, 23] },
      matrix: { shape: [4, 6], values: Array.from({ length: 24 }, (_, i) => i) },
      transposed: { shape: [6, 4], values: Array.from({ length: 24 }, (_, i) => (i % 4) * 6 + Math.floor(i / 4)) },
      column: { shape: [4], values: [1, 7, 13, 19] },
      block: { shape: [2, 2, 2], values: [4, 6, 8, 10, 16, 18, 20, 22] },
      repeated: { shape: [3, 2], values: [0, 1, 0, 1, 0, 1] },
      scalar: { shape: [], values: [7] },
      empty: { shape: [0, 5], values: [] },
      one: { shape: [1, 1, 1], values: [0] },
      channels_last: { shape: [1, 4, 2, 2], values: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15] },
      parameter: { shape: [3], values: [0, 1, 2] },
      tagged: { shape: [2], values: [0, 1] },
      labelled: { shape: [2], values: [0, 1] },
    })
    const views = torchTensors(file, at(file.value, 'views')).entries
    expect(views.get('offset')!.storage).toBe(views.get('transposed')!.storage)
  },
)

test.each(['zip-2', 'zip-3', 'zip-4', 'zip-5', 'legacy-2'])('%s: values beside the tensors', async (name) => {
  const values = at((await open(name)).value, 'values')
  const expected: [string, unknown][] = [
    ['none', null],
    ['flags', [true, false]],
    ['integers', [0, -1, 255, 65535, 65536, -(2 ** 31), 2 ** 31, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 80n)]],
    ['floats', [0.5, -1e300, Infinity]],
    ['text', ['', 'plain', 'Grüße 🙂']],
    ['bytes', Uint8Array.of(0, 255)],
    ['tuple', [1, [2], []]],
    ['ordered', new Map(Object.entries({ b: 1, a: 2 }))],
    ['counts', new Map([['a', [1]]])],
    ['counter', new Map(Object.entries({ a: 2, b: 1 }))],
    ['set', new Set([1])],
    ['frozen', new Set([2])],
    [
      'keys',
      new Map<unknown, unknown>([
        [1, 'one'],
        [2, 'two'],
        ['3', 3],
        [4.5, 'half'],
      ]),
    ],
    ['args', new Map<unknown, unknown>(Object.entries({ data: 'here', size: [4, 4], lr: 1e-4, model: null }))],
    ['size', [2, 3]],
    ['dtype', 'torch.bfloat16'],
    ['device', 'cuda:1'],
    ['layout', 'torch.strided'],
    ['numpy', [0.25, -3, 1.5, true]],
  ]
  expect([...(values as ReadonlyMap<string, unknown>).keys()]).toEqual(expected.map(([key]) => key))
  for (const [key, value] of expected) {
    const got = at(values, key)
    // A Namespace is a Map of a class of its own.
    expect(got instanceof Map ? new Map(got) : got, key).toEqual(value)
  }
  expect([...(at(values, 'ordered') as Map<string, number>).keys()]).toEqual(['b', 'a'])
})

test.each(['zip-2', 'legacy-2'])('%s: a training state with its optimizer and scheduler', async (name) => {
  const file = await open(name)
  const model = await numbersIn(file, at(file.value, 'training', 'model'))
  expect(Object.keys(model)).toEqual(['0.weight', '0.bias', '1.weight', '1.bias'])
  expect(model['1.bias'].shape).toEqual([3])
  const state = at(file.value, 'training', 'opt', 'state') as ReadonlyMap<number, TorchValue>
  expect([...state.keys()]).toEqual([0, 1, 2, 3])
  expect(await numbersIn(file, state.get(3)!)).toMatchObject({
    step: { values: [1] },
    exp_avg: { values: [0.5, 0.5, 0.5] },
  })
  const [group] = at(file.value, 'training', 'opt', 'param_groups') as readonly TorchValue[]
  expect([at(group, 'lr'), at(group, 'betas'), at(group, 'params')]).toEqual([0.5, [0.5, 0.25], [0, 1, 2, 3]])
  expect(at(file.value, 'training', 'scheduler', 'milestones')).toEqual(
    new Map([
      [10, 1],
      [20, 1],
    ]),
  )
})

test('from a Blob, as a page has it', async () => {
  const blob = new Blob([readFileSync(join(folder, 'zip-4.pt'))])
  const read = async (start: number, end: number) => new Uint8Array(await blob.slice(start, end).arrayBuffer())
  const file = await openTorch({ size: blob.size, read })
  expect(await torchTensors(file, at(file.value, 'views')).float32('offset')).toEqual(Float32Array.of(20, 21, 22, 23))
})

test('checksums that were not computed are not compared', async () => {
  const file = await open('no-crc')
  expect(await torchTensors(file).float32('a')).toEqual(Float32Array.of(0, 1, 2))
})

describe('refused, with the name of what was asked for', () => {
  test.each([
    ['module', 'asks for "torch.nn.modules.linear.Linear", which is a whole module; save its state_dict() instead'],
    ['conjugate', 'a tensor must be stored as it is (neg is set); save a clone of it'],
  ])('%s', async (name, message) => {
    await expect(open(name)).rejects.toThrow(message)
  })
})

test('torchTensors takes dicts alone, and knows its names', async () => {
  const file = await open('zip-2')
  expect(() => torchTensors(file, at(file.value, 'values', 'flags'))).toThrow('torch file: a state dict must be a dict')
  expect(torchTensors(file).entries.size).toBe(0) // its entries are dicts
  const model = torchTensors(file, at(file.value, 'training', 'model'))
  await expect(model.tensor('2.weight')).rejects.toThrow('there is no tensor "2.weight" among the 4')
  expect(model.entries.get('0.weight')).toBeInstanceOf(TorchTensor)
})

test.each(['complex', 'quantized', 'sparse'])('a %s tensor is a placeholder, and the file is read', async (name) => {
  const { value, placeholders } = await open(name)
  expect([...(value as Map<string, unknown>).values()]).toEqual([expect.any(TorchPlaceholder)])
  expect(placeholders[0]).toMatch(/^torch\./)
})
