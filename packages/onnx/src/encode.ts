import { sizeOf } from '@dit/tensor'
import { type Attribute, type Constant, DATA_TYPES, type GraphNode, type GraphPort, type OnnxGraph } from './graph.js'
import { byteLengthOf, bytesField, floatField, integerField, type Message, packedField, textField } from './protobuf.js'

/** Version of the format, and of the operators. LayerNormalization came with 17. */
const [IR_VERSION, OPSET] = [8, 17]

/** Reads a parameter as float32. */
export type ReadParameter = (name: string) => Promise<Float32Array>

export interface EncodeOptions {
  /**
   * Name of a second file, in the same folder, that the parameters are in: see `externalBytes`. By default they are in the
   * model's own file, which must stay below 2 GiB.
   */
  readonly externalFile?: string
  /** Texts that the file carries beside the graph, such as the process that the network was trained on. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** Protobuf ends at 2 GiB. */
const MOST_BYTES = 2 ** 31 - 1

/**
 * The bytes of an ONNX file, one piece after another: parameters are read when their turn comes, so that no more than one
 * of them is in memory.
 *
 * ```js
 * for await (const bytes of onnxBytes(denoiserGraph(config), (name) => toFloat32Array(params[name]))) await file.write(bytes)
 * ```
 *
 * @throws RangeError when the file would be 2 GiB or larger, or a parameter has another size than the graph says
 */
export async function* onnxBytes(
  graph: OnnxGraph,
  read: ReadParameter,
  { externalFile, metadata = {} }: EncodeOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const texts = Object.entries(metadata).flatMap(
    ([key, value]) => bytesField(14, [...textField(1, key), ...textField(2, value)]), // metadata_props
  )
  const message = [...modelMessage(graph, read, externalFile), ...texts]
  const length = byteLengthOf(message)
  if (length > MOST_BYTES) {
    throw new RangeError(`onnxBytes: a file must stay below 2 GiB (this would be ${length} bytes); give externalFile`)
  }
  for (const part of message) yield part instanceof Uint8Array ? part : await part.read()
}

/** The bytes of the second file of a graph that was written with `externalFile`: its parameters, one after another. */
export async function* externalBytes(graph: OnnxGraph, read: ReadParameter): AsyncGenerator<Uint8Array, void, void> {
  for (const constant of graph.constants) {
    if ('parameter' in constant.values) yield await readBytes(constant, constant.values.parameter, read)
  }
}

// Numbers of fields are those of onnx.proto (https://github.com/onnx/onnx, version 1.17).

function modelMessage(graph: OnnxGraph, read: ReadParameter, externalFile?: string): Message {
  return [
    ...integerField(1, IR_VERSION),
    ...textField(2, 'dit'), // producer_name
    ...bytesField(7, graphMessage(graph, read, externalFile)),
    ...bytesField(8, [...textField(1, ''), ...integerField(2, OPSET)]), // opset_import
  ]
}

function graphMessage(graph: OnnxGraph, read: ReadParameter, externalFile?: string): Message {
  let offset = 0
  const constants = graph.constants.map((constant) => {
    const place = externalFile === undefined ? null : { file: externalFile, offset }
    if ('parameter' in constant.values) offset += byteLength(constant)
    return bytesField(5, constantMessage(constant, read, place))
  })
  return [
    ...graph.nodes.flatMap((node) => bytesField(1, nodeMessage(node))),
    ...textField(2, graph.name),
    ...constants.flat(),
    ...graph.inputs.flatMap((port) => bytesField(11, portMessage(port))),
    ...graph.outputs.flatMap((port) => bytesField(12, portMessage(port))),
  ]
}

function nodeMessage({ op, inputs, outputs, attributes }: GraphNode): Message {
  return [
    ...inputs.flatMap((name) => textField(1, name)),
    ...outputs.flatMap((name) => textField(2, name)),
    ...textField(3, outputs[0]),
    ...textField(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) => bytesField(5, attributeMessage(name, value))),
  ]
}

function attributeMessage(name: string, value: Attribute): Message {
  const [content, type] = attributeContent(value)
  return [...textField(1, name), ...content, ...integerField(20, type)]
}

/** The field of the value, and the number of its type. */
function attributeContent(value: Attribute): [Message, number] {
  if (typeof value === 'number') return [integerField(3, value), 2]
  if (typeof value === 'string') return [textField(4, value), 3]
  if ('float' in value) return [floatField(2, value.float), 1]
  return [value.flatMap((each) => integerField(8, each)), 7]
}

function constantMessage(
  constant: Constant,
  read: ReadParameter,
  place: { file: string; offset: number } | null,
): Message {
  const { name, type, shape, values } = constant
  const head = [...packedField(1, shape), ...integerField(2, DATA_TYPES[type]), ...textField(8, name)]
  if (!('parameter' in values)) {
    const bytes = type === 'float' ? bytesOf(Float32Array.from(values)) : integerBytes(values)
    return [...head, ...bytesField(9, [bytes])]
  }
  if (place !== null) {
    const entries = { location: place.file, offset: String(place.offset), length: String(byteLength(constant)) }
    const external = Object.entries(entries).flatMap(([key, value]) =>
      bytesField(13, [...textField(1, key), ...textField(2, value)]),
    )
    return [...head, ...external, ...integerField(14, 1)] // data_location EXTERNAL
  }
  const later = { byteLength: byteLength(constant), read: () => readBytes(constant, values.parameter, read) }
  return [...head, ...bytesField(9, [later])]
}

function portMessage({ name, type, shape }: GraphPort): Message {
  const extents = shape.flatMap((extent) =>
    bytesField(1, typeof extent === 'number' ? integerField(1, extent) : textField(2, extent)),
  )
  const tensor = [...integerField(1, DATA_TYPES[type]), ...bytesField(2, extents)]
  return [...textField(1, name), ...bytesField(2, bytesField(1, tensor))]
}

function byteLength({ shape }: Constant): number {
  return 4 * sizeOf(shape)
}

async function readBytes({ shape }: Constant, parameter: string, read: ReadParameter): Promise<Uint8Array> {
  const values = await read(parameter)
  if (values.length !== sizeOf(shape)) {
    throw new RangeError(`onnxBytes: ${parameter} must have ${sizeOf(shape)} values (got ${values.length})`)
  }
  return bytesOf(values)
}

/** Little-endian, as every engine of JavaScript in use has them. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function integerBytes(values: ArrayLike<number>): Uint8Array {
  return bytesOf(BigInt64Array.from(Array.from(values, BigInt)))
}
