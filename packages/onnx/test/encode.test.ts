import { ditConfig, forward } from '@dit/model'
import { denoiserGraph, externalBytes, onnxBytes, type OnnxGraph, parameterBytes } from '@dit/onnx'
import { randomNormal, randomStream, reference, useBackend } from '@dit/tensor'
import { expect, test } from 'vitest'
import { collect, expectSame, InferenceSession, movedParams, readFrom, runSession } from './runtime.js'

await useBackend(reference())

const config = ditConfig('DiT-S/2', { inputSize: 4, depth: 1, hiddenSize: 8, numHeads: 2, numClasses: 3 })
const params = movedParams(config)

const tiny: OnnxGraph = {
  name: 'g',
  inputs: [{ name: 'x', type: 'float', shape: ['n', 3] }],
  outputs: [],
  constants: [{ name: 'w', type: 'float', shape: [2], values: { parameter: 'p' } }],
  nodes: [],
}

test('bytes by hand', async () => {
  const bytes = await collect(onnxBytes(tiny, () => Promise.resolve(Float32Array.of(1, -2))))
  // Each field is its number times 8 plus its kind, then a length where it has one.
  const constant = [0x0a, 1, 2, 0x10, 1, 0x42, 1, 0x77, 0x4a, 8, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]
  const extents = [0x0a, 3, 0x12, 1, 0x6e, 0x0a, 2, 0x08, 3]
  const tensor = [0x08, 1, 0x12, extents.length, ...extents]
  const port = [0x0a, 1, 0x78, 0x12, tensor.length + 2, 0x0a, tensor.length, ...tensor]
  const graph = [0x12, 1, 0x67, 0x2a, constant.length, ...constant, 0x5a, port.length, ...port]
  const opset = [0x0a, 0, 0x10, 17]
  const model = [0x08, 8, 0x12, 3, 0x64, 0x69, 0x74, 0x3a, graph.length, ...graph, 0x42, opset.length, ...opset]
  expect([...bytes]).toEqual(model)
})

test('texts beside the graph come at the end of the file', async () => {
  const read = () => Promise.resolve(Float32Array.of(1, -2))
  const plain = await collect(onnxBytes(tiny, read))
  const more = await collect(onnxBytes(tiny, read, { metadata: { key: 'v' } }))
  // Field 14 of onnx.proto's ModelProto: key, then value.
  expect([...more]).toEqual([...plain, 0x72, 8, 0x0a, 3, 0x6b, 0x65, 0x79, 0x12, 1, 0x76])
})

test('bytes of operators, integers and other files by hand', async () => {
  const graph: OnnxGraph = {
    ...tiny,
    inputs: [],
    outputs: [{ name: 'y', type: 'int64', shape: [] }],
    constants: [
      { name: 'i', type: 'int64', shape: [2], values: [-2, 3] },
      { name: 'u', type: 'float', shape: [], values: { parameter: 'p' } },
      { name: 'v', type: 'float', shape: [3], values: { parameter: 'q' } },
    ],
    nodes: [
      { op: 'Op', inputs: ['a', 'b'], outputs: ['y'], attributes: { i: 300, s: 't', f: { float: 0.5 }, l: [1, -1] } },
    ],
  }
  const bytes = await collect(onnxBytes(graph, () => Promise.reject(new Error('was read')), { externalFile: 'w' }))
  const field = (number: number, ...content: number[]) => [number * 8 + 2, content.length, ...content]
  const text = (number: number, value: string) => field(number, ...Buffer.from(value))
  const minusOne = [...Array<number>(9).fill(0xff), 1]
  // Numbers of fields and of types of attributes (FLOAT 1, INT 2, STRING 3, INTS 7) as in onnx.proto.
  const attributes = [
    field(5, ...text(1, 'i'), 0x18, 0xac, 2, 0xa0, 1, 2),
    field(5, ...text(1, 's'), ...text(4, 't'), 0xa0, 1, 3),
    field(5, ...text(1, 'f'), 0x15, 0, 0, 0, 0x3f, 0xa0, 1, 1),
    field(5, ...text(1, 'l'), 0x40, 1, 0x40, ...minusOne, 0xa0, 1, 7),
  ]
  const names = [...text(1, 'a'), ...text(1, 'b'), ...text(2, 'y'), ...text(3, 'y'), ...text(4, 'Op')]
  const minusTwoAndThree = [0xfe, ...Array<number>(7).fill(0xff), 3, ...Array<number>(7).fill(0)]
  const place = (offset: string, length: string) =>
    Object.entries({ location: 'w', offset, length }).flatMap(([key, value]) =>
      field(13, ...text(1, key), ...text(2, value)),
    )
  const external = [0x70, 1]
  const content = [
    ...field(1, ...names, ...attributes.flat()),
    ...text(2, 'g'),
    ...field(5, ...field(1, 2), 0x10, 7, ...text(8, 'i'), ...field(9, ...minusTwoAndThree)),
    ...field(5, ...field(1), 0x10, 1, ...text(8, 'u'), ...place('0', '4'), ...external),
    ...field(5, ...field(1, 3), 0x10, 1, ...text(8, 'v'), ...place('4', '12'), ...external),
    ...field(12, ...text(1, 'y'), ...field(2, ...field(1, 0x08, 7, ...field(2)))),
  ]
  // The length of the graph takes two bytes.
  const length = [(content.length % 128) + 128, Math.floor(content.length / 128)]
  expect([...bytes]).toEqual([0x08, 8, ...text(2, 'dit'), 0x3a, ...length, ...content, ...field(8, 0x0a, 0, 0x10, 17)])
})

test('parameters may be in a second file', async () => {
  const graph = denoiserGraph(config)
  const [model, data] = [
    await collect(onnxBytes(graph, readFrom(params), { externalFile: 'weights.bin' })),
    await collect(externalBytes(graph, readFrom(params))),
  ]
  expect(data.byteLength).toBe(parameterBytes(graph))
  expect(model.byteLength).toBeLessThan(20_000)
  const session = await InferenceSession.create(model, { externalData: [{ path: 'weights.bin', data }] })
  const shape = [2, 4, 4, 4]
  const xt = randomNormal(shape, randomStream(0, 'xt'))
  const got = await runSession(session, {
    xt: [shape, Float32Array.from(await xt.data())],
    timesteps: [[2], Float32Array.of(5, 6)],
    labels: [[2], BigInt64Array.of(0n, 3n)],
  })
  await expectSame(got, forward(config, params, { xt, timesteps: [5, 6], labels: [0, 3] }))
})

test('the bytes are the same every time, and every parameter is read once', async () => {
  const names: string[] = []
  const read = (name: string) => (names.push(name), readFrom(params)(name))
  const first = await collect(onnxBytes(denoiserGraph(config), read))
  expect(names.toSorted()).toEqual(Object.keys(params).toSorted())
  expect(await collect(onnxBytes(denoiserGraph(config), read))).toEqual(first)
})

test('errors', async () => {
  await expect(collect(onnxBytes(tiny, () => Promise.resolve(new Float32Array(3))))).rejects.toThrow(
    new RangeError('onnxBytes: p must have 2 values (got 3)'),
  )
  const huge = denoiserGraph(ditConfig('DiT-XL/2'))
  expect(parameterBytes(huge)).toBe(4 * 675_129_632)
  await expect(collect(onnxBytes(huge, () => Promise.reject(new Error('was read'))))).rejects.toThrow(
    /^onnxBytes: a file must stay below 2 GiB \(this would be 27\d{8} bytes\); give externalFile$/,
  )
})
