import { describe, expect, test } from 'vitest'
import { readTorch, TorchError, TorchPlaceholder, torchTensors } from '../../src/index.js'
import { bytesIn, int, pickle, tensor, text, torchZip } from './build.js'

const join = (...parts: (string | number)[]) => Uint8Array.from(parts.flatMap(bytesIn))
const repeated = (part: Uint8Array, count: number) =>
  Uint8Array.from({ length: part.length * count }, (_, i) => part[i % part.length])
const ascii = (value: string) => new TextEncoder().encode(value)
const call = (module: string, name: string, ...args: (string | Uint8Array)[]) =>
  pickle(`c${module}\n${name}\n(`, ...args, 'tR')

/** The text of the TorchError that a file is refused with. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const error: unknown = await readTorch(bytes).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(TorchError)
  return (error as TorchError).message
}

test.each([
  ['keys', pickle('}(', repeated(join('K', 1, 'N'), 2 ** 16 + 1), 'u')],
  [
    'keys of an OrderedDict',
    pickle('ccollections\nOrderedDict\n](', repeated(join('K', 1, 'N', 0x86), 2 ** 16 + 1), 'e', 0x85, 'R'),
  ],
  ['members of a set', pickle('cbuiltins\nset\n](', repeated(join('K', 1), 2 ** 16 + 1), 'e', 0x85, 'R')],
])('beyond 65,536 numbers as %s, which can be made to collide, they are text', async (_, bytes) => {
  const { value } = await readTorch(torchZip(bytes))
  expect([...(value as Map<unknown, unknown>).keys()]).toEqual([1, '1'])
})

describe('plain data of other classes are placeholders: named, read past, and nothing of them runs', () => {
  const read = async (bytes: Uint8Array) => readTorch(torchZip(bytes))

  test.each([
    ['pathlib', 'PosixPath', [text('/data')]],
    ['datetime', 'datetime', [text('x')]],
    ['__main__', 'Config', []],
    ['omegaconf.dictconfig', 'DictConfig', []],
    ['numpy._core.multiarray', '_reconstruct', []],
    ['mine', 'Outer.Inner', [int(1)]],
  ])('%s.%s', async (module, name, args) => {
    const found = await read(
      pickle('}(', text('odd'), `c${module}\n${name}\n(`, ...args, 'tR}b', text('fine'), tensor(), 'u'),
    )
    expect(found.placeholders).toEqual([`${module}.${name}`])
    const value = found.value as Map<string, unknown>
    expect(value.get('odd')).toEqual(new TorchPlaceholder(`${module}.${name}`))
    expect(torchTensors(found).entries.get('fine')).toMatchObject({ dtype: 'F32', shape: [2] })
  })

  test('a class by itself, members of an enum as values and as keys, and items that are added to a placeholder', async () => {
    const member = ['cmine\nColour\n', int(1), 0x85, 'R'] as const
    const named = ['cbuiltins\ngetattr\ncmine\nColour\n', text('RED'), 0x86, 'R'] as const
    const deque = ['ccollections\ndeque\n)R(', int(1), int(2), 'e'] as const
    const { value, placeholders } = await read(
      pickle(
        '}(',
        text('class'),
        'cmine\nModel\n',
        text('a'),
        ...member,
        text('b'),
        ...named,
        text('d'),
        ...deque,
        ...member,
        int(3),
        'u',
      ),
    )
    expect([...(value as Map<string, unknown>).keys()]).toEqual(['class', 'a', 'b', 'd'])
    expect(placeholders).toEqual(['mine.Model', 'mine.Colour', 'collections.deque'])
  })

  test.each([
    ['subprocess', 'Popen'],
    ['os', '_wrap_close'],
    ['ctypes', 'CDLL'],
    ['code', 'InteractiveInterpreter'],
    ['functools', 'Partial'],
    ['mine', 'function'],
    ['torch.jit', 'ScriptModule'],
    ['torch.nn.modules.linear', 'Linear'],
  ])('%s.%s is refused all the same', async (module, name) => {
    expect(await refusal(torchZip(call(module, name, text('x'))))).toContain(`asks for "${module}.${name}"`)
  })

  test('getattr of anything else is refused', async () => {
    const bytes = pickle('cbuiltins\ngetattr\n', text('RED'), text('x'), 0x86, 'R')
    expect(await refusal(torchZip(bytes))).toContain('asks for "builtins.getattr"')
  })

  test('a dtype of numpy, also of strings and with the highest byte first', async () => {
    const dtype = (name: string, order: string) =>
      ['cnumpy\ndtype\n', text(name), 0x89, 0x88, 0x87, 'R(', int(3), text(order), 'tb'] as const
    const scalar = (...parts: readonly (string | number | Uint8Array)[]) =>
      ['cnumpy.core.multiarray\nscalar\n', ...parts, 0x86, 'R'] as const
    const two = Uint8Array.of(0x43, 2, 1, 2)
    const { value } = await read(
      pickle(
        '](',
        ...dtype('U5', '<'),
        ...scalar(...dtype('u2', '>'), two),
        ...scalar(...dtype('u2', '<'), two),
        ...scalar(...dtype('M8', '<'), two),
        'e',
      ),
    )
    expect(value).toEqual([expect.any(TorchPlaceholder), 0x0102, 0x0201, expect.any(TorchPlaceholder)])
  })
})

test('compressed storages are unpacked, but are no bombs', async () => {
  const values = Float32Array.of(1.5, -2)
  const packed = torchZip(pickle('}', text('a'), tensor(), 's'), { 0: new Uint8Array(values.buffer) }, {}, 6)
  expect(await torchTensors(await readTorch(packed)).float32('a')).toEqual(values)
  const count = 2 ** 23
  const bomb = torchZip(pickle(tensor({ count, shape: [2] })), { 0: new Uint8Array(4 * count) }, {}, 6)
  expect(await refusal(bomb)).toMatch(/storage "0" is compressed and must unpack to at most 16777216 bytes/)
})

test('elements with their highest byte first are turned round', async () => {
  const bytes = Uint8Array.of(0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0)
  const file = await readTorch(
    torchZip(pickle('}', text('a'), tensor(), 's'), { 0: bytes }, { 'a/byteorder': ascii('big') }),
  )
  expect(await torchTensors(file).float32('a')).toEqual(Float32Array.of(1.5, -2))
})

test('entries whose keys are no text, number or truth value are passed over', async () => {
  const { value } = await readTorch(
    torchZip(pickle('}(', '}', int(1), 'N', int(2), ')', int(3), text('a'), int(4), 'u')),
  )
  expect(value).toEqual(new Map([['a', 4]]))
})

test('a class within a class, and bytes of nothing under protocol 2', async () => {
  const nested = ['c__builtin__\ngetattr\ncmine\nOuter\n', text('Inner'), 0x86, 'R', ')R'] as const
  const { value } = await readTorch(torchZip(pickle('](', ...nested, 'c__builtin__\nbytes\n)R', 'e')))
  expect(value).toEqual([new TorchPlaceholder('mine.Outer'), new Uint8Array()])
})

test.each([
  ['pathlib', 'os'],
  ['smtplib', 'SMTP'],
  ['subprocess ', 'Popen'],
  ['foo.subprocess', 'Popen'],
  ['torch.utils.cpp_extension', 'BuildExtension'],
  ['', 'Popen'],
])('%j.%s is refused by name', async (module, name) => {
  expect(await refusal(torchZip(call(module, name)))).toContain(`asks for ${JSON.stringify(`${module}.${name}`)}`)
})

test('storages that are compressed and read in turns are refused once it is too much', async () => {
  const count = 2 ** 22
  const two = [0, 1].map((key) => tensor({ key: String(key), count, shape: [1] }))
  const parts = Array.from({ length: 40 }, (_, i) => [text(String(i)), two[i % 2]]).flat()
  const storages = { 0: new Uint8Array(4 * count), 1: new Uint8Array(4 * count) }
  const file = await readTorch(torchZip(pickle('}(', ...parts, 'u'), storages, {}, 6))
  const dict = torchTensors(file)
  const readAll = async () => {
    for (const name of dict.entries.keys()) await dict.tensor(name)
  }
  await expect(readAll()).rejects.toThrow(
    'compressed storages must be read one after another; unpack the archive first',
  )
})
