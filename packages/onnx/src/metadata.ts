import { fieldsOf, OnnxError } from './read-protobuf.js'

// Numbers of fields are those of onnx.proto (https://github.com/onnx/onnx, version 1.17).
const [GRAPH, METADATA_PROPS] = [7, 14]
const [KEY, VALUE] = [1, 2]

/**
 * The texts that an ONNX file carries beside its graph (`metadata_props`), which is skipped unread: time and memory do not grow with the
 * number of its nodes. `descriptionFromMetadata` of @dit/model understands those of files that dit wrote.
 *
 * @param bytes of the whole file; texts come at its end
 * @returns text by key, without a prototype; empty where the file carries none
 * @throws OnnxError where the bytes are no ONNX model, or a damaged one: a field leads past the end, a text is not UTF-8, a key comes twice
 *
 * @example
 * const description = descriptionFromMetadata(onnxMetadata(await readFile('denoiser.onnx')))
 */
export function onnxMetadata(bytes: Uint8Array): Record<string, string> {
  const metadata = Object.create(null) as Record<string, string>
  let hasGraph = false
  for (const { field, content } of fieldsOf(bytes)) {
    if (field !== GRAPH && field !== METADATA_PROPS) continue
    if (content === null) throw new OnnxError(`onnxMetadata: field ${field} must be a message; this is no ONNX model`)
    if (field === GRAPH) {
      hasGraph = true
      continue
    }
    const [key, value] = entryOf(content)
    if (Object.hasOwn(metadata, key)) {
      throw new OnnxError(`onnxMetadata: the metadata must have each key once (${shown(key)} comes twice)`)
    }
    metadata[key] = value
  }
  if (!hasGraph) throw new OnnxError('onnxMetadata: the bytes must be an ONNX model; they hold no graph')
  return metadata
}

/** A key and its text; what is left out is empty, as protobuf has it. */
function entryOf(entry: Uint8Array): [key: string, value: string] {
  const texts = ['', '']
  for (const { field, content } of fieldsOf(entry)) {
    if (field !== KEY && field !== VALUE) continue
    if (content === null) throw new OnnxError('onnxMetadata: keys and values of the metadata must be texts')
    texts[field - 1] = textOf(content)
  }
  return [texts[0], texts[1]]
}

function textOf(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch (cause) {
    throw new OnnxError('onnxMetadata: a text of the metadata must be UTF-8', { cause })
  }
}

function shown(key: string): string {
  return JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key)
}
