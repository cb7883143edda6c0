import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onnxBytes, type OnnxGraph } from '@dit/onnx'
import { reference } from '@dit/tensor'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onnxRuntime } from '../../src/evaluate/onnx-runtime.js'
import { onnxSettings } from '../../src/evaluate/onnx-settings.js'
import { openExtractorOf } from '../../src/evaluate/open-extractor.js'

let folder: string
let file: string

/** A network that gives its 48 numbers back. */
const echo: OnnxGraph = {
  name: 'echo',
  inputs: [{ name: 'pictures', type: 'float', shape: ['B', 3, 4, 4] }],
  outputs: [{ name: 'rows', type: 'float', shape: ['B', 48] }],
  constants: [],
  nodes: [{ op: 'Flatten', inputs: ['pictures'], outputs: ['rows'], attributes: { axis: 1 } }],
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-onnx-'))
  file = join(folder, 'echo.onnx')
  const pieces: Uint8Array[] = []
  for await (const piece of onnxBytes(echo, () => Promise.reject(new Error('no parameters'))))
    pieces.push(piece.slice())
  await writeFile(file, Buffer.concat(pieces))
})

afterAll(() => rm(folder, { recursive: true }))

const settings = (text: string) => writeFile(`${file}.json`, text)
const error = (text: string) =>
  settings(text)
    .then(() => onnxSettings(file))
    .then(
      () => 'no error',
      (reason: unknown) => (reason as Error).message.replaceAll(`${folder}/`, ''),
    )

test('an ONNX file is an extractor, prepared for as the JSON file beside it says', async () => {
  await settings('{ "size": 4, "mean": 100, "std": [50, 50, 25], "resize": "tf1-bilinear" }')
  const extractor = await openExtractorOf(file, reference())
  expect(extractor).toMatchObject({ name: 'echo', layers: [{ name: 'rows', width: 48 }], logits: null })
  const pixels = new Uint8Array(48).fill(150)
  const { rows } = await extractor.extract({ count: 1, height: 4, width: 4, pixels })
  expect([...rows.data]).toEqual([...Array<number>(32).fill(1), ...Array<number>(16).fill(2)])
  extractor.dispose()
})

test('an output that the network does not have is named, with those that it has', async () => {
  await settings('{ "size": 4, "mean": 0, "std": 1, "output": "pool" }')
  await expect(openExtractorOf(file, reference())).rejects.toThrow(
    `--extractor ${file}: there is no output pool; outputs are rows`,
  )
})

test('says what is missing or wrong in the file of settings', async () => {
  await rm(`${file}.json`)
  await expect(openExtractorOf(file, reference())).rejects.toThrow(
    `--extractor ${file}: an ONNX file does not say how pictures must be prepared; write it to ${file}.json, such as { "size": 224, "mean": [`,
  )
  expect(await error('{ size: 4 }')).toMatch(/^echo\.onnx\.json: this is no JSON: /)
  expect(await error('[4]')).toMatch(/^echo\.onnx\.json: it must hold a JSON object, such as \{ "size": 224/)
  expect(await error('{ "size": 4, "mean": 0 }')).toBe(
    'echo.onnx.json: give std, a number above 0, or three of them, for pixels of 0 to 255',
  )
  expect(await error('{ "size": 4, "mean": [0, 0], "std": 1 }')).toBe(
    'echo.onnx.json: mean must be a number, or three of them, for pixels of 0 to 255 (got [0,0])',
  )
  expect(await error('{ "size": 4, "mean": 0, "std": 0 }')).toContain('std must be a number above 0')
  expect(await error('{ "size": 4, "mean": 0, "std": 1, "layuot": "NHWC" }')).toMatch(
    /^echo\.onnx\.json: there is no setting layuot.*layout/,
  )
  expect(await error('{ "size": 4, "mean": 0, "std": 1, "layout": "nhwc" }')).toBe(
    'echo.onnx.json: layout must be NCHW or NHWC (got "nhwc")',
  )
})

test('says what to install where no ONNX Runtime is', async () => {
  const empty = join(folder, 'empty')
  await mkdir(empty)
  await expect(onnxRuntime('echo.onnx', [empty])).rejects.toThrow(
    '--extractor echo.onnx: an ONNX file needs ONNX Runtime, which dit does not install: npm install onnxruntime-node (or onnxruntime-web, slower)',
  )
})
