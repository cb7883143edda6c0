import type { ByteSource } from '@dit/checkpoint'
import { sha256Of } from '@dit/checkpoint/web'
import { batchedExtractor, checkBatching } from '../batched-extractor.js'
import type { FeatureExtractor, FeatureLayer } from '../extractor.js'
import { networkInputUnchecked, type PerChannel, type Preprocessing, preprocessingText } from '../preprocess.js'
import { wholeFile } from '../read-weights.js'
import type { ResizeMethod } from '../resize/resize.js'
import type { OnnxRuntime, OnnxSession, OnnxValue } from './runtime.js'

/** Where the network's input has its axes. */
export type OnnxLayout = 'NCHW' | 'NHWC'

export interface OnnxOptions {
  /** The module `onnxruntime-node`, or `onnxruntime-web`. */
  readonly runtime: OnnxRuntime
  /** Side of the square that the network was trained on, or height and width. */
  readonly size: number | readonly [height: number, width: number]
  /** How pictures are brought to it; `clean-bicubic` by default. */
  readonly resize?: ResizeMethod
  /** The network sees (x - mean) / std, with x in 0 .. 255: for ImageNet's usual, [123.675, 116.28, 103.53] and [58.395, 57.12, 57.375]. */
  readonly mean: PerChannel
  readonly std: PerChannel
  /** `NCHW` by default. */
  readonly layout?: OnnxLayout
  /** Outputs that are taken as layers, the first of them the default; all by default. */
  readonly output?: string | readonly string[]
  /** The output that holds a classifier's logits; none by default. */
  readonly logits?: string
  /** As results print it; `onnx` by default. */
  readonly name?: string
  /** Pictures at a time, 8 by default; 1 for a file that takes no more. */
  readonly batchSize?: number
}

/**
 * Any network in an ONNX file, on a runtime that the caller brings. It has one float32 input of pictures; an output is `[B, D]`, or maps in the
 * layout of the input, of which the spatial mean is taken.
 *
 * ```js
 * // with `runtime` the module onnxruntime-node
 * const extractor = await onnxExtractor(await readFile('dino.onnx'), {
 *   runtime, size: 224, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375],
 * })
 * ```
 *
 * @throws TypeError without a runtime, or where an output is not float32
 * @throws RangeError for an unknown output, outputs of another rank, or options that make no sense; the runtime's own errors
 */
export async function onnxExtractor(
  source: Uint8Array | ByteSource,
  {
    runtime,
    size,
    resize = 'clean-bicubic',
    mean,
    std,
    layout = 'NCHW',
    output,
    logits,
    name = 'onnx',
    batchSize = 8,
  }: OnnxOptions,
): Promise<FeatureExtractor> {
  const who = 'onnxExtractor'
  if (runtime?.InferenceSession === undefined || runtime.Tensor === undefined) {
    throw new TypeError(
      `${who}: an ONNX file needs a runtime: npm install onnxruntime-node (in a page onnxruntime-web), import it and pass the module as runtime`,
    )
  }
  if (layout !== 'NCHW' && layout !== 'NHWC') {
    throw new RangeError(`${who}: layout must be NCHW or NHWC (got ${String(layout)})`)
  }
  const preprocessing: Preprocessing = { size: typeof size === 'number' ? [size, size] : size, resize, mean, std }
  checkBatching(who, preprocessing, batchSize)
  const bytes = await wholeFile(source)
  const sha256 = await sha256Of(bytes)
  const session = await runtime.InferenceSession.create(bytes)
  try {
    const outputs = outputsOf(who, session, output, logits)
    const run = batchRunner(who, runtime, session, preprocessing, layout)
    const blank = { count: 1, height: 1, width: 1, pixels: new Uint8Array(3) }
    const first = await run(networkInputUnchecked(blank, preprocessing, 0, 1), 1, outputs)
    const layers: FeatureLayer[] = outputs.map((each) => ({ name: each, width: first[each].length }))
    return batchedExtractor({
      name,
      fingerprint: `${sha256} ${preprocessingText(preprocessing)} ${layout}`,
      layers,
      defaultLayer: outputs[0],
      logits: logits ?? null,
      preprocessing,
      batchSize,
      run,
      dispose: () => void session.release?.(),
    })
  } catch (error) {
    await session.release?.()
    throw error
  }
}

/** Outputs that become layers. */
function outputsOf(
  who: string,
  { inputNames, outputNames }: OnnxSession,
  output: OnnxOptions['output'],
  logits: string | undefined,
): readonly string[] {
  if (inputNames.length !== 1) {
    throw new RangeError(`${who}: the network must have one input, the pictures (it has ${inputNames.join(', ')})`)
  }
  const asked = output === undefined ? outputNames : typeof output === 'string' ? [output] : output
  const outputs = [...new Set([...asked, ...(logits === undefined ? [] : [logits])])]
  for (const each of outputs) {
    if (!outputNames.includes(each)) {
      throw new RangeError(`${who}: there is no output ${each}; outputs are ${outputNames.join(', ')}`)
    }
  }
  if (outputs.length === 0) throw new RangeError(`${who}: output must name at least one of ${outputNames.join(', ')}`)
  return outputs
}

function batchRunner(
  who: string,
  runtime: OnnxRuntime,
  session: OnnxSession,
  { size: [height, width] }: Preprocessing,
  layout: OnnxLayout,
) {
  return async (input: Float32Array, count: number, layers: readonly string[]) => {
    const isPlanar = layout === 'NCHW'
    const data = isPlanar ? input : interleaved(input, count, height * width)
    const dims = isPlanar ? [count, 3, height, width] : [count, height, width, 3]
    const feeds = { [session.inputNames[0]]: new runtime.Tensor('float32', data, dims) as never }
    const values = await session.run(feeds, layers).catch((cause: unknown) => {
      const hint = count > 1 ? '; a file that takes one picture at a time needs batchSize: 1' : ''
      throw new Error(`${who}: the runtime did not take [${dims.join(', ')}]${hint}: ${String(cause)}`, { cause })
    })
    return Object.fromEntries(
      layers.map((layer) => [layer, rowsOf(who, layer, values[layer] as OnnxValue, count, layout)]),
    )
  }
}

/** `[count, 3, places]` as `[count, places, 3]`. */
function interleaved(input: Float32Array, count: number, places: number): Float32Array {
  const out = new Float32Array(input.length)
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < 3; c++) {
      for (let i = 0; i < places; i++) out[(n * places + i) * 3 + c] = input[(n * 3 + c) * places + i]
    }
  }
  return out
}

/** An output as `[count, width]`. */
function rowsOf(who: string, name: string, { type, dims, data }: OnnxValue, count: number, layout: OnnxLayout) {
  if (type !== 'float32' || !(data instanceof Float32Array)) {
    throw new TypeError(`${who}: output ${name} must be float32 (it is ${type})`)
  }
  const isMaps = dims.length === 4
  if (dims[0] !== count || (dims.length !== 2 && !isMaps)) {
    throw new RangeError(
      `${who}: output ${name} of ${count} pictures must be [${count}, D] or maps ${layout}; it is [${dims.join(', ')}]`,
    )
  }
  return isMaps ? meansOfMaps(data, dims, layout) : data
}

function meansOfMaps(data: Float32Array, dims: readonly number[], layout: OnnxLayout): Float32Array {
  const [count] = dims
  const [channels, places] = layout === 'NCHW' ? [dims[1], dims[2] * dims[3]] : [dims[3], dims[1] * dims[2]]
  const [channelStep, placeStep] = layout === 'NCHW' ? [places, 1] : [1, channels]
  const out = new Float32Array(count * channels)
  for (let n = 0, to = 0; n < count; n++) {
    for (let c = 0; c < channels; c++, to++) {
      let sum = 0
      for (let i = 0; i < places; i++) sum += data[n * channels * places + c * channelStep + i * placeStep]
      out[to] = sum / places
    }
  }
  return out
}
