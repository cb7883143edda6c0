import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { float32ToFloat16 } from '@dit/checkpoint'
import { openSafetensorsFile, type TensorToWrite, writeSafetensorsFile } from '@dit/checkpoint/node'
import { afterAll, expect, test } from 'vitest'
import { ConditionsError, openConditions } from '../../src/node/index.js'

const folder = mkdtempSync(join(tmpdir(), 'dit-conditions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const FILES = ['a/1.png', 'a/2.png', 'b/3.png']

/** Three rows: a caption of up to two tokens of two numbers, a pose of two, a style. */
const GOOD = {
  caption: {
    dtype: 'F32',
    shape: [3, 2, 2],
    data: Float32Array.of(1, 2, 3, 4, 5, 6, NaN, NaN, NaN, NaN, NaN, NaN),
  },
  'caption.length': { dtype: 'I32', shape: [3], data: Int32Array.of(2, 1, 0) },
  pose: { dtype: 'F16', shape: [3, 2], data: float32ToFloat16(Float32Array.of(0.5, 1, 1.5, 2, 2.5, 3)) },
  style: { dtype: 'I64', shape: [3], data: BigInt64Array.of(0n, 2n, 1n) },
} as const satisfies Record<string, TensorToWrite>

let written = 0
async function write(
  tensors: Record<string, TensorToWrite> = GOOD,
  metadata: Record<string, string> = { files: JSON.stringify(FILES) },
): Promise<string> {
  const path = join(folder, `${written++}.safetensors`)
  await writeSafetensorsFile(path, tensors, { metadata })
  return path
}

test('kinds and sizes follow from dtypes and shapes', async () => {
  const file = await openConditions(await write())
  expect(file.conditions).toEqual([
    { name: 'caption', kind: 'tokens', size: 2, most: 2 },
    { name: 'pose', kind: 'vector', size: 2 },
    { name: 'style', kind: 'label', classes: 3 },
  ])
  expect(file).toMatchObject({ length: 3, files: FILES })
  await file.close()
})

test('rows are read by file, widened, and zero behind the length of each', async () => {
  const file = await openConditions(await write())
  const rows = file.rowsOf(['b/3.png', String.raw`a\2.png`])
  expect([...rows]).toEqual([2, 1])
  expect(await file.read(['caption', 'pose', 'style'], rows)).toEqual({
    caption: { data: Float32Array.of(0, 0, 0, 0, 5, 6, 0, 0), shape: [2, 2] },
    'caption.length': { data: Int32Array.of(0, 1), shape: [] },
    pose: { data: Float32Array.of(2.5, 3, 1.5, 2), shape: [2] },
    style: { data: Int32Array.of(1, 2), shape: [] },
  })
  await expect(file.read(['style'], [3])).rejects.toThrow('rows must be in 0..2 (got 3)')
  await expect(file.read(['stile'], [0])).rejects.toThrow('no condition stile (there are: caption, pose, style)')
  await file.close()
})

test('the metadata may say that a label has more classes than there are pictures of', async () => {
  const metadata = { classes: '{"style": 10}' }
  const file = await openConditions(await write(GOOD, metadata))
  expect(file.conditions.at(-1)).toEqual({ name: 'style', kind: 'label', classes: 10 })
  expect(() => file.rowsOf(FILES)).toThrow('it must say which pictures its rows are for, with the metadata "files"')
  await file.close()
})

test('a picture without a row is named', async () => {
  const file = await openConditions(await write())
  expect(() => file.rowsOf([...FILES, 'a/4.png', 'a/5.png'])).toThrow(
    'it has no row for a/4.png, nor for 1 more (its files begin with a/1.png)',
  )
  await file.close()
})

test('a file fits a network with the same conditions, or more classes and tokens', async () => {
  const file = await openConditions(await write())
  const caption = { name: 'caption', kind: 'tokens', size: 2, most: 4 } as const
  file.requireFit([caption, { name: 'style', kind: 'label', classes: 5 }])
  const refusal = (spec: Parameters<typeof file.requireFit>[0][number]) => () => file.requireFit([spec])
  expect(refusal({ ...caption, most: 1 })).toThrow(
    'caption must be at most 1 tokens of 2 numbers, as the network takes it (got at most 2 tokens of 2 numbers)',
  )
  expect(refusal({ ...caption, name: 'pose' })).toThrow('pose must be at most 4 tokens of 2 numbers')
  expect(refusal({ name: 'pose', kind: 'vector', size: 3 })).toThrow('pose must be a vector of 3 numbers')
  expect(refusal({ name: 'style', kind: 'label', classes: 2 })).toThrow('style must be a label of 2 classes')
  expect(refusal({ ...caption, name: 'text' })).toThrow('there is no condition text')
  await file.close()
})

const { caption, pose, style } = GOOD
const lengths = GOOD['caption.length']
const floats = (shape: number[], value = 0): TensorToWrite => ({
  dtype: 'F32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
})
const WRONG: [what: string, tensors: Record<string, TensorToWrite>, text: string, metadata?: Record<string, string>][] =
  [
    ['no tensors', {}, 'there is no tensor in it'],
    [
      'rows of another number',
      { pose, style: { ...style, shape: [2], data: style.data.slice(1) } },
      'pose has 3 and style 2',
    ],
    ['a scalar', { style, x: floats([]) }, 'style has 3 and x none'],
    ['the name of pictures', { x0: pose }, 'no condition can be called x0'],
    ['a name that is none', { '1st': style }, '"1st" is no name of a condition'],
    [
      'a table of integers',
      { style: { dtype: 'I32', shape: [3, 1], data: new Int32Array(3) } },
      'style is of integers, a label, and must be [n] (got I32 [3, 1])',
    ],
    [
      'truths',
      { style: { dtype: 'BOOL', shape: [3], data: new Uint8Array(3) } },
      'style must be of integers or floating-point numbers (got BOOL [3])',
    ],
    [
      'floats that are one number',
      { style: floats([3]) },
      'style must be [n, size] for a vector, or [n, M, size] for tokens (got F32 [3])',
    ],
    ['vectors of nothing', { pose: floats([3, 0]) }, 'pose must have numbers in every row (got F32 [3, 0])'],
    [
      'tokens without lengths',
      { caption },
      'caption is of tokens (F32 [3, 2, 2]) and needs caption.length, integers [n] (got no such tensor)',
    ],
    ['lengths that are floats', { caption, 'caption.length': floats([3]) }, '(got F32 [3])'],
    [
      'lengths of nothing',
      { pose, 'pose.length': lengths },
      'pose.length has the lengths of tokens, but there are no tokens pose',
    ],
    [
      'a length above M',
      { caption, 'caption.length': { ...lengths, data: Int32Array.of(2, 3, 0) } },
      'caption.length must be in 0..2, the tokens that there are (a/2.png has 3)',
    ],
    [
      'a length below 0',
      { caption, 'caption.length': { ...lengths, data: Int32Array.of(2, -1, 0) } },
      '(a/2.png has -1)',
    ],
    [
      'a label below 0',
      { style: { ...style, data: BigInt64Array.of(0n, 0n, -1n) } },
      'style must be 0 or more (b/3.png has -1)',
    ],
    [
      'a label past int32',
      { style: { ...style, data: BigInt64Array.of(0n, 0n, 2n ** 31n) } },
      'style must be in the range of int32 (number 2 is 2147483648)',
    ],
    [
      'fewer files than rows',
      { style },
      'the metadata "files" must name a picture for each of 3 rows (got 2)',
      { files: '["a", "b"]' },
    ],
    ['a file twice', { style }, 'the metadata "files" name a twice', { files: '["a", "b", "a"]' }],
    ['files that are no list', { style }, 'the metadata "files" must be a JSON list of paths', { files: '{}' }],
    ['files that are no JSON', { style }, 'the metadata "files" must be JSON (got "a, b")', { files: 'a, b' }],
    [
      'too few classes',
      { style },
      'style must be classes in 0..1, as the metadata say (the largest is 2)',
      { classes: '{"style": 2}' },
    ],
    [
      'classes of a vector',
      { pose },
      'the metadata "classes" name pose, which is no label',
      { classes: '{"pose": 2}' },
    ],
    ['classes that are no numbers', { style }, 'must be a JSON object of numbers of classes', { classes: '["style"]' }],
  ]

test.each(WRONG)('%s: refused by name', async (_, tensors, text, metadata) => {
  const path = await write(tensors, metadata)
  const error = await openConditions(path).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(ConditionsError)
  expect((error as Error).message).toContain(text)
  expect((error as Error).message).toMatch(/^\/.*\d+\.safetensors: /)
})

test('a number that is not finite is named with its picture', async () => {
  const file = await openConditions(await write({ pose: floats([3, 2], Infinity) }))
  await expect(file.read(['pose'], [1])).rejects.toThrow('pose must be finite (number 0 of a/2.png is Infinity)')
  await file.close()
})

test('rows are copied as they are stored, with their files and the classes of all', async () => {
  const file = await openConditions(await write())
  const copy = join(folder, 'copy.safetensors')
  await file.copyTo(copy, [2, 0])
  await file.close()
  const copied = await openConditions(copy)
  expect(copied).toMatchObject({ length: 2, files: ['b/3.png', 'a/1.png'], conditions: file.conditions })
  expect(await copied.read(['caption', 'pose', 'style'], [0, 1])).toMatchObject({
    caption: { data: Float32Array.of(0, 0, 0, 0, 1, 2, 3, 4) },
    pose: { data: Float32Array.of(2.5, 3, 0.5, 1) },
    style: { data: Int32Array.of(1, 0) },
  })
  await copied.close()
  const { entries } = await openSafetensorsFile(copy)
  expect([...entries].map(([name, { dtype }]) => `${name} ${dtype}`)).toEqual([
    'caption F32',
    'caption.length I32',
    'pose F16',
    'style I64',
  ])
})
