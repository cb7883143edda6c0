import { networkInput, onnxExtractor, type OnnxOptions } from '@dit/features'
import { onnxBytes, type OnnxGraph } from '@dit/onnx'
import * as ort from 'onnxruntime-web'
import { describe, expect, test } from 'vitest'
import { formulaPictures } from '../formula.js'

// The WebAssembly build of ONNX Runtime, which installs without a script and runs in Node.
ort.env.logLevel = 'fatal'
ort.env.wasm.numThreads = 1

type Port = readonly (number | string)[]

/** A network that gives its input back, as maps and as rows, and one number of each picture. */
async function echoFile(shape: Port): Promise<Uint8Array> {
  const graph: OnnxGraph = {
    name: 'echo',
    inputs: [{ name: 'pictures', type: 'float', shape }],
    outputs: [
      { name: 'maps', type: 'float', shape },
      { name: 'rows', type: 'float', shape: [shape[0], 48] },
      { name: 'cube', type: 'float', shape: [shape[0], 3, 16] },
    ],
    constants: [{ name: 'sizes', type: 'int64', shape: [3], values: [0, 3, 16] }],
    nodes: [
      { op: 'Identity', inputs: ['pictures'], outputs: ['maps'], attributes: {} },
      { op: 'Flatten', inputs: ['pictures'], outputs: ['rows'], attributes: { axis: 1 } },
      { op: 'Reshape', inputs: ['pictures', 'sizes'], outputs: ['cube'], attributes: {} },
    ],
  }
  const pieces: Uint8Array[] = []
  for await (const piece of onnxBytes(graph, () => Promise.reject(new Error('no parameters'))))
    pieces.push(piece.slice())
  return new Uint8Array(Buffer.concat(pieces))
}

const preprocessing = { size: 4, resize: 'tf1-bilinear', mean: [120, 130, 140], std: [60, 50, 40] } as const
const planar = await echoFile(['B', 3, 4, 4])
const pictures = formulaPictures(5, 4, 4)
const input = networkInput(pictures, { ...preprocessing, size: [4, 4] })
const open = (options: Partial<OnnxOptions> = {}, file = planar) =>
  onnxExtractor(file, { runtime: ort, ...preprocessing, output: ['rows', 'maps'], ...options })

test('an output of rows is taken as it is, maps as their means, over any number of batches', async () => {
  const extractor = await open({ batchSize: 2, name: 'echo' })
  expect(extractor).toMatchObject({ name: 'echo', defaultLayer: 'rows', logits: null })
  expect(extractor.layers).toEqual([
    { name: 'rows', width: 48 },
    { name: 'maps', width: 3 },
  ])
  const { rows, maps } = await extractor.extract(pictures, ['rows', 'maps'])
  expect(rows).toEqual({ shape: [5, 48], data: input })
  const means = Array.from({ length: 15 }, (_, i) => input.subarray(16 * i, 16 * (i + 1)).reduce((a, b) => a + b) / 16)
  maps.data.forEach((value, i) => expect(value).toBeCloseTo(means[i], 5))
  extractor.dispose()
})

test('a network with channels last has them last', async () => {
  const file = await echoFile(['B', 4, 4, 3])
  const extractor = await open({ layout: 'NHWC' }, file)
  const { rows, maps } = await extractor.extract(pictures, ['rows', 'maps'])
  expect(rows.data[2]).toBe(input[32]) // blue of the first pixel
  expect(maps.shape).toEqual([5, 3])
  expect(maps.data[0]).toBeCloseTo(input.subarray(0, 16).reduce((a, b) => a + b) / 16, 5)
  extractor.dispose()
})

test('its fingerprint tells the preprocessing, and logits may be named', async () => {
  const [one, two] = [await open({ logits: 'rows' }), await open({ mean: 0 })]
  expect(one.logits).toBe('rows')
  expect(one.fingerprint).toMatch(/^[0-9a-f]{64} 4x4 tf1-bilinear mean 120,130,140 std 60,50,40 NCHW$/)
  expect(two.fingerprint).not.toBe(one.fingerprint)
  one.dispose()
  two.dispose()
})

describe('refuses', () => {
  test('to go without a runtime, and says what to install', async () => {
    await expect(open({ runtime: undefined as never })).rejects.toThrow(
      new TypeError(
        'onnxExtractor: an ONNX file needs a runtime: npm install onnxruntime-node (in a page onnxruntime-web), import it and pass the module as runtime',
      ),
    )
  })

  test('unknown outputs, outputs of another rank, and an unknown layout', async () => {
    await expect(open({ output: 'pool' })).rejects.toThrow(
      new RangeError('onnxExtractor: there is no output pool; outputs are maps, rows, cube'),
    )
    await expect(open({ output: [] })).rejects.toThrow('output must name at least one of maps, rows, cube')
    await expect(open({ output: 'cube' })).rejects.toThrow(
      'onnxExtractor: output cube of 1 pictures must be [1, D] or maps NCHW; it is [1, 3, 16]',
    )
    await expect(open({ layout: 'CHWN' as never })).rejects.toThrow('layout must be NCHW or NHWC (got CHWN)')
    await expect(open({ std: 0 })).rejects.toThrow('std must be a number above 0 or three (got 0, 0, 0)')
  })

  test('more pictures than a file takes, and says the way out', async () => {
    const file = await echoFile([1, 3, 4, 4])
    const extractor = await open({}, file)
    await expect(extractor.extract(pictures)).rejects.toThrow(
      /the runtime did not take \[5, 3, 4, 4\]; a file that takes one picture at a time needs batchSize: 1: /,
    )
    extractor.dispose()
    const single = await open({ batchSize: 1 }, file)
    expect((await single.extract(pictures))['rows'].data).toEqual(input)
    single.dispose()
  })
})
