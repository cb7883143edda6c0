import { descriptionFromMetadata, descriptionMetadata, ditConfig } from '@dit/model'
import { denoiserGraph, OnnxError, onnxBytes, onnxMetadata, type OnnxGraph } from '@dit/onnx'
import { reference, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'
import { collect, movedParams, readFrom } from './runtime.js'

await useBackend(reference())

const tiny: OnnxGraph = { name: 'g', inputs: [], outputs: [], constants: [], nodes: [] }
const read = () => Promise.reject(new Error('was read'))
const written = (metadata: Readonly<Record<string, string>>) => collect(onnxBytes(tiny, read, { metadata }))

/** A field with a length, and one of metadata. */
const field = (number: number, ...content: readonly number[]) => [number * 8 + 2, content.length, ...content]
const text = (number: number, value: string) => field(number, ...Buffer.from(value))
const entry = (key: string, value: string) => field(14, ...text(1, key), ...text(2, value))
const GRAPH = field(7)
const metadata = (...bytes: readonly number[]) => onnxMetadata(Uint8Array.from(bytes))

test('texts by hand, with everything else skipped', () => {
  const others = [0x08, 0xff, 0x01, ...field(2, 0xff, 0xff), 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4]
  expect(metadata(...others, ...GRAPH, ...entry('a', 'b'), ...field(8), ...field(14, ...text(1, 'c')))).toEqual({
    a: 'b',
    c: '',
  })
})

test('what the writer wrote comes back, any text among it, and no prototype', async () => {
  const texts = { plain: 'x', 'dit.classes': '["Löwe","猫"]', empty: '', '': 'no key', bom: '\uFEFFx' }
  const found = onnxMetadata(await written(texts))
  expect({ ...found }).toEqual(texts)
  expect(Object.getPrototypeOf(found)).toBeNull()
  expect('constructor' in found).toBe(false)
  expect(Object.entries(metadata(...GRAPH, ...entry('__proto__', 'x')))).toEqual([['__proto__', 'x']])
  expect({ ...onnxMetadata(await written({})) }).toEqual({})
})

test('the description of a network comes back from its file', async () => {
  const network = ditConfig('DiT-S/2', { inputSize: 4, depth: 1, hiddenSize: 8, numHeads: 2, numClasses: 3 })
  const about = { process: { kind: 'flow' }, classNames: ['a', 'b', 'c'], pixelRange: [0, 1] as const }
  const params = movedParams(network)
  const metadata = descriptionMetadata({ network, ...about })
  const bytes = await collect(onnxBytes(denoiserGraph(network), readFrom(params), { metadata }))
  expect(descriptionFromMetadata(onnxMetadata(bytes))).toMatchObject({ network, ...about, latents: null })
})

test.each([
  ['nothing', [], 'onnxMetadata: the bytes must be an ONNX model; they hold no graph'],
  ['no graph', entry('a', 'b'), 'they hold no graph'],
  ['a file of zeros', [0, 0, 0, 0], 'byte 0 begins no field of an ONNX model'],
  ['a length past the end', [0x3a, 5, 1], 'field 7 must have 5 bytes, but 1 are left: the file is damaged or cut off'],
  ['a length of 2^63', [0x3a, ...Array<number>(9).fill(0x80), 1], 'field 7 must have 9223372036854776000 bytes'],
  ['a number that does not end', [0x08, ...Array<number>(11).fill(0x80)], 'is longer than 10 bytes'],
  ['a number that is cut off', [...GRAPH, 0x08, 0x80], 'the file ends within a number: it is cut off'],
  ['a fixed number that is cut off', [...GRAPH, 0x0d, 1], 'field 1 must have 4 bytes, but 1 are left'],
  ['a group', [0x0b, 0x0c], 'field 1 has kind 3, which ONNX does not use'],
  ['a graph that is a number', [0x38, 1], 'field 7 must be a message; this is no ONNX model'],
  ['metadata that are a number', [...GRAPH, 0x70, 1], 'field 14 must be a message'],
  ['a key that is a number', [...GRAPH, ...field(14, 0x08, 1)], 'keys and values of the metadata must be texts'],
  ['a text past its entry', [...GRAPH, ...field(14, 0x0a, 9)], 'field 1 must have 9 bytes, but 0 are left'],
  ['a text that is not UTF-8', [...GRAPH, ...field(14, 0x0a, 1, 0xff)], 'a text of the metadata must be UTF-8'],
  ['a key twice', [...GRAPH, ...entry('a', 'b'), ...entry('a', 'c')], 'each key once ("a" comes twice)'],
])('refuses %s', (_, bytes, problem) => {
  expect(() => metadata(...bytes)).toThrow(OnnxError)
  expect(() => metadata(...bytes)).toThrow(problem)
})

test('a file that is cut off anywhere is refused, or gives no wrong text', async () => {
  const texts = { a: 'first', b: 'second' }
  const bytes = await written(texts)
  const found = Array.from(bytes, (_, length) => {
    try {
      return { ...onnxMetadata(bytes.subarray(0, length)) }
    } catch (error) {
      return error
    }
  })
  const isRight = (each: unknown) =>
    each instanceof OnnxError ||
    Object.entries(each as object).every(([key, value]) => texts[key as 'a' | 'b'] === value)
  expect(found.filter((each) => !isRight(each))).toEqual([])
  expect(found.filter((each) => each instanceof OnnxError).length).toBeGreaterThan(bytes.length / 2)
})

test('many fields take no memory of their own', () => {
  const bytes = new Uint8Array(2 ** 20)
  for (let i = 0; i < bytes.length; i += 2) bytes[i] = 0x3a
  expect({ ...onnxMetadata(bytes) }).toEqual({})
})
