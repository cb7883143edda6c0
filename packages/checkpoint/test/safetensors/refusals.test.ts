import { describe, expect, test } from 'vitest'
import { readSafetensors, SafetensorsError } from '../../src/index.js'
import { buildFile } from '../build-file.js'
import { headerOf, oneAndMinusTwo, twoFloats } from './headers.js'

describe('refuses', () => {
  const eight = new Uint8Array(8)
  const long = 'x'.repeat(5000)
  const cases: [string, Uint8Array, string][] = [
    ['an empty file', new Uint8Array(), 'a file must have at least 8 bytes (0)'],
    [
      'a length and nothing else',
      buildFile('', eight.subarray(8), 2n),
      'header of 2 bytes must fit into the file (8; cut short?)',
    ],
    ['an empty header', buildFile(''), 'header must be a JSON object (0 bytes)'],
    ['a header of one byte', buildFile('{'), 'header must be a JSON object (1 bytes)'],
    [
      'a header past the cap',
      buildFile('{}', eight, 100_000_001n),
      'header must be at most 100000000 bytes (100000001)',
    ],
    ['a header of 2^64 - 1', buildFile('{}', eight, 2n ** 64n - 1n), 'at most 100000000 bytes (18446744073709551615)'],
    [
      'a header past the end',
      buildFile('{}', eight, 11n),
      'header of 11 bytes must fit into the file (18; cut short?)',
    ],
    ['a list', buildFile('[]'), 'header must start with "{"'],
    ['white space first', buildFile(' {}'), 'header must start with "{"'],
    ['a byte order mark', buildFile('\ufeff{}'), 'header must start with "{"'],
    ['broken UTF-8', buildFile(Uint8Array.of(0x7b, 0xff, 0x7d)), 'header must be UTF-8'],
    ['text after the object', buildFile('{} x'), 'expected the end of the header at character 3, found "x"'],
    ['zero bytes as padding', buildFile('{}\0\0'), 'expected the end of the header at character 2, found "\\u0000"'],
    ['an object cut short', buildFile('{"a"'), 'expected ":" at character 4, found the end'],
    ['a string cut short', buildFile('{"a'), 'header is not valid JSON: bad string at character 1'],
    ['a bad escape', buildFile('{"\\x":1}'), 'bad string at character 1'],
    ['half a surrogate', buildFile('{"\\ud800":1}'), 'half a surrogate pair at character 1'],
    ['a comma at the end', buildFile('{"__metadata__":{},}'), 'expected a name in quotes at character 19, found "}"'],
    ['names without quotes', buildFile('{a:1}'), 'expected a name in quotes at character 1, found "a"'],
    [
      'a tensor twice',
      buildFile('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}}'),
      'tensor "a": stands in the header twice',
    ],
    [
      'a tensor twice, once escaped',
      buildFile('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{}}'),
      'tensor "a": stands in the header twice',
    ],
    ['metadata twice', buildFile('{"__metadata__":{},"__metadata__":{}}'), '"__metadata__" stands in the header twice'],
    ['a metadata key twice', buildFile('{"__metadata__":{"k":"1","k":"2"}}'), 'metadata key "k" stands there twice'],
    [
      '__proto__ twice',
      buildFile('{"__metadata__":{"__proto__":"1","__proto__":"2"}}'),
      'metadata key "__proto__" stands there twice',
    ],
    ['a field twice', buildFile('{"a":{"dtype":"U8","dtype":"U8"}}'), 'tensor "a": dtype stands there twice'],
    ['metadata that is a number', buildFile('{"__metadata__":{"k":1}}'), 'metadata "k": must be a string'],
    ['metadata that is a list', buildFile('{"__metadata__":[]}'), '"__metadata__": must be a JSON object'],
    ['metadata that is nested', buildFile('{"__metadata__":{"k":{}}}'), 'metadata "k": must be a string'],
    ['a tensor that is null', buildFile('{"a":null}'), 'tensor "a": must be a JSON object'],
    ['deep nesting', buildFile(`{"a":${'['.repeat(100_000)}`), 'tensor "a": must be a JSON object'],
    [
      'deep nesting in a shape',
      buildFile(`{"a":{"shape":${'['.repeat(100_000)}`),
      'tensor "a": shape must hold non-negative integers',
    ],
    ['an unknown field', buildFile('{"a":{"dtype":"U8","strides":[1]}}'), 'tensor "a": unknown field "strides"'],
    ['no dtype', buildFile('{"a":{"shape":[0],"data_offsets":[0,0]}}'), 'tensor "a": dtype is missing'],
    ['no shape', buildFile('{"a":{"dtype":"U8","data_offsets":[0,0]}}'), 'tensor "a": shape is missing'],
    ['no offsets', buildFile('{"a":{"dtype":"U8","shape":[0]}}'), 'tensor "a": data_offsets is missing'],
    ['a dtype that is a number', buildFile('{"a":{"dtype":8}}'), 'tensor "a": dtype must be a string'],
    [
      'an unknown dtype',
      buildFile(headerOf(['C63', '[0]', '[0,0]'])),
      'tensor "a": dtype must be one of F64, F32, F16, BF16, F8_E4M3, F8_E5M2, I64, I32, I16, I8, U64, U32, U16, U8, BOOL ("C63")',
    ],
    ['a dtype in small letters', buildFile(headerOf(['f32', '[0]', '[0,0]'])), 'tensor "a": dtype must be one of'],
    ['a dtype that is a built-in name', buildFile(headerOf(['__proto__', '[0]', '[0,0]'])), '("__proto__")'],
    [
      'a shape that is a number',
      buildFile(headerOf(['U8', '8', '[0,8]']), eight),
      'tensor "a": shape must be a list of integers',
    ],
    [
      'a negative size',
      buildFile(headerOf(['U8', '[-8]', '[0,8]']), eight),
      'tensor "a": shape must hold non-negative integers ("-8")',
    ],
    ['minus zero', buildFile(headerOf(['U8', '[-0]', '[0,0]'])), 'shape must hold non-negative integers ("-0")'],
    [
      'a fraction',
      buildFile(headerOf(['U8', '[7.5]', '[0,8]']), eight),
      'shape must hold non-negative integers ("7.5")',
    ],
    [
      'an exponent',
      buildFile(headerOf(['U8', '[8e0]', '[0,8]']), eight),
      'shape must hold non-negative integers ("8e0")',
    ],
    [
      'a leading zero',
      buildFile(headerOf(['U8', '[08]', '[0,8]']), eight),
      'shape must hold non-negative integers ("08")',
    ],
    ['a size in quotes', buildFile(headerOf(['U8', '["8"]', '[0,8]']), eight), 'shape must hold non-negative integers'],
    [
      'a size of 2^53',
      buildFile(headerOf(['U8', '[9007199254740992]', '[0,8]']), eight),
      'integers below 2^53 (9007199254740992)',
    ],
    [
      'sizes that overflow together',
      buildFile(headerOf(['F32', '[4294967296,4294967296]', '[0,0]'])),
      'tensor "a": shape [4294967296, 4294967296] must stay below 2^53 bytes',
    ],
    [
      'three offsets',
      buildFile(headerOf(['U8', '[8]', '[0,8,8]']), eight),
      'tensor "a": data_offsets must hold two integers (3)',
    ],
    [
      'offsets that run backwards',
      buildFile(headerOf(['U8', '[8]', '[8,0]']), eight),
      'tensor "a": data_offsets must not run backwards (8 to 0)',
    ],
    [
      'offsets past the end',
      buildFile(headerOf(['U8', '[9]', '[0,9]']), eight),
      'tensor "a": bytes 0 to 9 must lie within the data (8 bytes; cut short?)',
    ],
    [
      'too few bytes for the shape',
      buildFile(headerOf(['F32', '[3]', '[0,8]']), eight),
      'tensor "a": F32 [3] must have 12 bytes (data_offsets give 8)',
    ],
    [
      'too many bytes for the shape',
      buildFile(headerOf(['F16', '[2,1]', '[0,8]']), eight),
      'tensor "a": F16 [2, 1] must have 4 bytes (data_offsets give 8)',
    ],
    [
      'bytes for an empty shape',
      buildFile(headerOf(['U8', '[0]', '[0,8]']), eight),
      'tensor "a": U8 [0] must have 0 bytes (data_offsets give 8)',
    ],
    [
      'overlapping tensors',
      buildFile(headerOf(['U8', '[6]', '[0,6]'], ['U8', '[4]', '[4,8]']), eight),
      'tensor "b": overlaps tensor "a"',
    ],
    [
      'the same bytes twice',
      buildFile(headerOf(['U8', '[8]', '[0,8]'], ['I8', '[8]', '[0,8]']), eight),
      'tensor "b": overlaps tensor "a"',
    ],
    [
      'an empty tensor inside another',
      buildFile(headerOf(['U8', '[8]', '[0,8]'], ['I8', '[0]', '[4,4]']), eight),
      'tensor "b": overlaps tensor "a"',
    ],
    [
      'a hole before the first tensor',
      buildFile(headerOf(['U8', '[6]', '[2,8]']), eight),
      'tensor "a": the 2 bytes before it belong to no tensor',
    ],
    [
      'a hole in the middle',
      buildFile(headerOf(['U8', '[5]', '[3,8]'], ['U8', '[2]', '[0,2]']), eight),
      'tensor "a": the 1 bytes before it belong to no tensor',
    ],
    [
      'bytes after the last tensor',
      buildFile(headerOf(['U8', '[6]', '[0,6]']), eight),
      'the last 2 bytes belong to no tensor',
    ],
    ['bytes without tensors', buildFile('{}', eight), 'the last 8 bytes belong to no tensor'],
    [
      'a very long name, which it cuts',
      buildFile(`{"${long}":1}`),
      `tensor "${'x'.repeat(100)}…": must be a JSON object`,
    ],
    ['a zip', Uint8Array.of(0x50, 0x4b, 3, 4, ...new Uint8Array(40)), 'this looks like a PyTorch .pt file'],
    [
      'a pickle',
      Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a),
      'this looks like a PyTorch .pt file',
    ],
    [
      'a pickle of protocol 4',
      Uint8Array.of(0x80, 4, 0x95, ...new Uint8Array(40)),
      'this looks like a PyTorch .pt file',
    ],
    [
      'a Git LFS pointer',
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n'),
      'this looks like a Git LFS pointer',
    ],
    ['a web page', new TextEncoder().encode('<!doctype html><html></html>'), 'this looks like a web page'],
  ]

  test.each(cases)('%s', (_, bytes, text) => {
    expect(() => readSafetensors(bytes)).toThrow(SafetensorsError)
    expect(() => readSafetensors(bytes)).toThrow(text)
  })

  test('a BOOL that is neither 0 nor 1, when it is read', async () => {
    const file = readSafetensors(buildFile(headerOf(['BOOL', '[2]', '[0,2]']), Uint8Array.of(1, 2)))
    await expect(file.tensor('a')).rejects.toThrow('tensor "a": BOOL must be stored as 0 or 1 (2)')
  })

  test('every truncation of a valid file', () => {
    const bytes = buildFile(twoFloats, oneAndMinusTwo)
    for (let size = 0; size < bytes.length; size++) {
      expect(() => readSafetensors(bytes.subarray(0, size)), `${size} bytes`).toThrow(SafetensorsError)
    }
  })

  test('what is not bytes', () => {
    expect(() => readSafetensors('text' as unknown as Uint8Array)).toThrow(TypeError)
    expect(() => readSafetensors('text' as unknown as Uint8Array)).toThrow(
      'bytes must be a Uint8Array or an ArrayBuffer (String)',
    )
  })
})
