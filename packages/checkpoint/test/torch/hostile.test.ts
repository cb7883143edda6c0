import { describe, expect, test } from 'vitest'
import { openTorch, readTorch, TorchError, torchTensors } from '../../src/index.js'
import { bytesIn, bytesOfUint32, int, pickle, tensor, text, torchZip } from './build.js'

/** The text of the TorchError that a file is refused with. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const error = await readTorch(bytes).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(TorchError)
  return (error as TorchError).message
}

const call = (module: string, name: string, ...args: (string | Uint8Array)[]) =>
  pickle(`c${module}\n${name}\n(`, ...args, 'tR')
const global4 = (module: string, name: string) => {
  const short = (value: string) => Uint8Array.of(0x8c, value.length, ...bytesIn(value))
  return pickle(short(module), short(name), 0x93, ')R')
}

describe('what is not on the list is refused by name and never looked up', () => {
  test.each([
    ['os', 'system'],
    ['builtins', 'eval'],
    ['builtins', '__import__'],
    ['builtins', 'getattr'],
    ['torch', 'load'],
    ['torch._utils', '__class__'],
    ['torch.FloatStorage', '__init__'],
    ['__proto__', 'constructor'],
    ['constructor', 'constructor'],
    ['collections.OrderedDict', 'fromkeys'],
    ['collections', 'OrderedDict.fromkeys'],
    ['', ''],
  ])('%s.%s', async (module, name) => {
    const asks = `torch file: asks for ${JSON.stringify(`${module}.${name}`)}, and nothing but containers, numbers, strings and tensors is built from a file`
    expect(await refusal(torchZip(call(module, name, text('touch pwned'))))).toBe(asks)
    expect(await refusal(torchZip(global4(module, name)))).toBe(asks)
  })

  test.each<[string, Uint8Array, string]>([
    ['a class on the list that is not to be called', call('torch', 'FloatStorage'), 'must not call torch.FloatStorage'],
    ['a list', pickle(']q\0)R'), 'must not call what is no function'],
    ['a class on its own', pickle('ctorch\nTensor\n'), 'asks to keep "torch.Tensor"'],
    [
      'a function within a dict',
      pickle('}', text('f'), 'ctorch._utils\n_rebuild_tensor\ns'),
      'asks to keep "torch._utils._rebuild_tensor"',
    ],
    [
      'another class for a tensor',
      call('torch._tensor', '_rebuild_from_type_v2', 'ccollections\nOrderedDict\n', 'ctorch\nTensor\n', ')', 'N'),
      '_rebuild_from_type_v2 must rebuild a plain tensor',
    ],
    ['a module', pickle('(', text('module'), 'tQ'), 'a persistent id must be of a storage'],
    [
      'another encoding',
      call('_codecs', 'encode', text('a'), text('rot13')),
      '_codecs.encode must be given a string and "latin1"',
    ],
    ['an instance by INST', pickle('(ios\nsystem\n'), 'a pickle must hold known opcodes (0x69 at byte 3)'],
    ['an extension', pickle(0x82, 1), 'known opcodes (0x82 at byte 2)'],
    ['a buffer outside', pickle(0x97), 'known opcodes (0x97 at byte 2)'],
    ['protocol 0', Uint8Array.from(bytesIn('N.')), 'a pickle must be of protocol 2 to 5 (it begins with byte 78)'],
    ['protocol 6', Uint8Array.of(0x80, 6, 0x2e), 'a pickle must be of protocol 2 to 5 (6)'],
  ])('%s', async (_, data, message) => {
    expect(await refusal(torchZip(data))).toContain(message)
  })
})

describe('pickles that are broken', () => {
  test.each<[string, Uint8Array, string]>([
    ['an empty stack', pickle('0'), 'must not take from an empty stack'],
    ['taking through a mark', pickle('N(0'), 'must not take from an empty stack'],
    ['two taken through a mark', pickle('N(N', 0x86), 'must not take from an empty stack'],
    ['no mark', pickle('Nt'), 'must set the marks that it goes back to'],
    ['an open mark', pickle('N('), 'a pickle must not take from an empty stack'],
    ['two values', pickle('NN'), 'must end with one value on its stack'],
    ['no such memory', pickle('h', 7), 'must not recall what it has not remembered (7)'],
    ['a far memory', pickle('Nr', ...bytesOfUint32(2 ** 31)), 'must number what it remembers (2147483648 after 0)'],
    [
      'a dict as a key of an OrderedDict',
      pickle('ccollections\nOrderedDict\n]}N', 0x86, 'a', 0x85, 'R'),
      'the key of a dict must be',
    ],
    ['half a pair', pickle('}(Nu'), 'must be for a dict, and in pairs'],
    ['appending to a tuple of nothing', pickle(')Na'), 'APPEND must be to a list'],
    ['setting an item of a list', pickle(']NNs'), 'SETITEM must be for a dict'],
    ['adding to a list', pickle('](N', 0x90), 'ADDITEMS must be to a set'],
    ['building a list', pickle(']Nb'), 'BUILD must be for a Namespace, a dict or a tensor'],
    [
      'named arguments',
      pickle('ccollections\nOrderedDict\n)}', text('a'), 'Ns', 0x92),
      'NEWOBJ_EX must have no named arguments',
    ],
    ['arguments that are no tuple', pickle('ccollections\nOrderedDict\nNR'), 'what is called must be given a tuple'],
    ['a string that is not UTF-8', pickle('U', 1, 0xff), 'a string at byte 4 must be UTF-8'],
    ['a string beyond the end', pickle('X', ...bytesOfUint32(2 ** 32 - 1)), 'data.pkl ends within the pickle'],
    ['a string of 2^63 bytes', pickle(0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80), 'a length must stay below 2^53'],
    [
      'a long integer',
      pickle(0x8b, ...bytesOfUint32(257), new Uint8Array(257)),
      'an integer must have at most 256 bytes (257)',
    ],
    ['a name without an end', pickle(`c${'a'.repeat(2000)}`), 'a name must have at most 1000 bytes'],
    ['no end', Uint8Array.of(0x80, 2, 0x4e), 'data.pkl ends within the pickle; the file is damaged'],
    ['more after the end', Uint8Array.of(0x80, 2, 0x4e, 0x2e, 0x2e), 'must hold one pickle (1 bytes after it)'],
  ])('%s', async (_, data, message) => {
    expect(await refusal(torchZip(data))).toContain(message)
  })
})

describe('tensors that do not fit', () => {
  test.each<[string, Uint8Array, string]>([
    [
      'past the storage',
      pickle(tensor({ shape: [3] })),
      'of shape [3], strides [1] and offset 0 must lie within its storage (2 elements)',
    ],
    ['an offset past it', pickle(tensor({ offset: 1 })), 'and offset 1 must lie within'],
    ['a stride past it', pickle(tensor({ strides: [2] })), 'strides [2]'],
    ['a negative offset', pickle(tensor({ offset: -1 })), 'a tensor must have a non-negative offset'],
    ['a negative stride', pickle(tensor({ offset: 1, strides: [-1] })), 'all of them non-negative integers'],
    ['a negative size', pickle(tensor({ shape: [-1] })), 'all of them non-negative integers'],
    ['a size beyond 2^53', pickle(tensor({ shape: [2n ** 60n], strides: [0] })), 'all of them non-negative integers'],
    [
      'a product beyond 2^53',
      pickle(tensor({ shape: [2 ** 40, 2 ** 40], strides: [0, 0] })),
      'must stay below 2^53 bytes',
    ],
    ['a stride that overflows', pickle(tensor({ strides: [2 ** 53 - 1], shape: [2] })), 'must lie within its storage'],
    ['more sizes than strides', pickle(tensor({ shape: [1, 2] })), 'as many strides as sizes'],
    ['65 axes', pickle(tensor({ shape: Array<number>(65).fill(1), strides: Array<number>(65).fill(1) })), '64 at most'],
    [
      'a terabyte from one element',
      pickle(tensor({ shape: [2 ** 38], strides: [0] })),
      'must not have more than 16777216 bytes together',
    ],
    ['no elements', pickle(tensor({ location: 'meta' })), 'storage "0" was saved without its elements'],
    ['a storage of another size', pickle(tensor({ count: 3 })), 'storage "0" must have 12 bytes (the archive has 8)'],
    ['a storage of 2^60', pickle(tensor({ count: 2n ** 60n })), 'a storage must have a key and a count of elements'],
    ['a storage that is not there', pickle(tensor({ key: '../0' })), 'storage "../0" must be in the archive'],
    [
      'a storage of two sizes',
      pickle(tensor(), tensor({ count: 1 }), 0x86),
      'storage "0" must have one class and size',
    ],
    [
      'a storage of two classes',
      pickle(tensor(), tensor({ type: 'torch\nIntStorage\n' }), 0x86),
      'must have one class and size',
    ],
    ['a storage of no class', pickle(tensor({ type: 'torch\nTensor\n' })), 'a storage must be of a known class'],
    [
      'bytes without a dtype',
      pickle(tensor({ type: 'torch\nUntypedStorage\n', count: 8 })),
      'a tensor of untyped bytes must say its dtype',
    ],
    [
      'a storage by itself',
      pickle('(', text('storage'), 'ctorch\nFloatStorage\n', text('0'), text('cpu'), int(2), 'tQ'),
      'asks to keep what is no value',
    ],
  ])('%s', async (_, data, message) => {
    expect(await refusal(torchZip(data))).toContain(message)
  })

  test('a shape that is appended to afterwards stays what was checked', async () => {
    const storage = ['(', text('storage'), 'ctorch\nFloatStorage\n', text('0'), text('cpu'), int(2), 'tQ']
    const [sizes, strides] = [
      [']q\0', int(2), 'a'],
      ['(', int(1), 't'],
    ]
    const rebuilt = ['ctorch._utils\n_rebuild_tensor\n(', ...storage, int(0), ...sizes, ...strides, 'tR']
    const data = pickle('}', text('a'), ...rebuilt, 'h\0', int(200), 'a0s')
    const file = await readTorch(torchZip(data))
    expect(torchTensors(file).entries.get('a')!.shape).toEqual([2])
  })

  test('a boolean that is neither 0 nor 1', async () => {
    const data = pickle('}', text('a'), tensor({ type: 'torch\nBoolStorage\n' }), 's')
    const file = await readTorch(torchZip(data, { 0: Uint8Array.of(1, 2) }))
    await expect(torchTensors(file).tensor('a')).rejects.toThrow('a BOOL must be stored as 0 or 1 (2)')
  })
})

describe('small files that would become large', () => {
  const join = (...parts: (string | number)[]) => Uint8Array.from(parts.flatMap(bytesIn))
  const repeated = (part: string | Uint8Array, count: number) =>
    Uint8Array.from(Array<number[]>(count).fill(bytesIn(part)).flat())

  test.each<[string, Uint8Array, string]>([
    [
      'a million dicts',
      pickle('(', repeated('}', 1_000_000), 't'),
      'must not build more objects than its length suggests',
    ],
    ['a million lists', pickle('(', repeated(']', 1_000_000), 't'), 'must not build more objects'],
    [
      'one list made into a thousand sets',
      pickle('((', repeated('N', 2000), 'tq', 0, '0', repeated(join('cbuiltins\nset\nh', 0, 0x85, 'R'), 1000), 't'),
      'must not build more objects',
    ],
    ['a list within itself', pickle(']q\0h\0a'), 'a container must not hold itself'],
    [
      'two dicts within each other',
      pickle('}q\0', text('a'), '}q\x01', text('b'), 'h\0ss'),
      'a container must not hold itself',
    ],
    [
      '65 lists within each other',
      pickle(repeated(']', 65), repeated('a', 64)),
      'containers must nest at most 64 deep',
    ],
    [
      '100,000 lists within each other',
      pickle(repeated(']', 100_000), repeated('a', 99_999)),
      'containers must nest at most 64 deep',
    ],
    [
      '100,000 tuples within each other',
      pickle('N', repeated(Uint8Array.of(0x85), 100_000)),
      'containers must nest at most 64 deep',
    ],
    ['doubling 80 times', pickle('N', repeated(Uint8Array.of(0x32, 0x86), 80)), 'containers must nest at most 64 deep'],
  ])('%s', async (_, data, message) => {
    expect(await refusal(torchZip(data))).toContain(message)
  })

  test('doubling 60 times is a value of 60 objects', async () => {
    const { value } = await readTorch(torchZip(pickle('N', repeated(Uint8Array.of(0x32, 0x86), 60))))
    expect(value).toHaveLength(2)
  })

  test('a packed pickle is read within its limit', async () => {
    const large = new Uint8Array(2 ** 26 + 1)
    expect(await refusal(torchZip(large, {}, {}, 6))).toContain('entry "a/data.pkl": must have at most 67108864 bytes')
  })

  test('only what is asked for is read', async () => {
    const data = pickle('}', text('a'), tensor({ count: 2 ** 20, offset: 1000, shape: [2] }), 's')
    const bytes = torchZip(data, { 0: new Uint8Array(2 ** 22) })
    let read = 0
    const source = {
      size: bytes.length,
      read: async (start: number, end: number) => ((read += end - start), bytes.slice(start, end)),
    }
    const file = await openTorch(source)
    expect(await torchTensors(file).float32('a')).toEqual(Float32Array.of(0, 0))
    expect(read).toBeLessThan(70_000) // most of it the search for the zip directory
  })
})

describe('files that are something else', () => {
  const ascii = (value: string) => new TextEncoder().encode(value)
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'must be a zip archive or begin with a pickle'],
    ['a web page', ascii('<!doctype html>'), 'this looks like a web page'],
    ['a Git LFS pointer', ascii('version https://git-lfs.github.com/spec/v1'), 'this looks like a Git LFS pointer'],
    ['safetensors', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d), 'this looks like a safetensors file'],
    ['an npy file', Uint8Array.of(0x93, ...ascii('NUMPY'), 1, 0), 'this looks like an npy file'],
    ['a picture', Uint8Array.of(0x89, ...ascii('PNG'), 13, 10, 26, 10), 'this looks like a picture'],
    ['a plain pickle', pickle('N'), 'must begin with the magic number of torch'],
    ['a zip without a pickle', torchZip(new Uint8Array(), {}).slice(), 'data.pkl ends within the pickle'],
    [
      'a TorchScript archive',
      torchZip(pickle('N'), {}, { 'a/constants.pkl': new Uint8Array() }),
      'this is a TorchScript archive',
    ],
    [
      'of an unknown byte order',
      torchZip(pickle('N'), {}, { 'a/byteorder': ascii('pdp') }),
      'the byte order must be little or big ("pdp")',
    ],
  ])('%s', async (_, bytes, message) => {
    expect(await refusal(bytes)).toContain(message)
  })
})
