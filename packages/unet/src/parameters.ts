import { normals, type RandomStream, randomStream, uniforms } from '@dit/random'
import { type Backend, currentBackend, type Params, scope, type Shape, sizeOf, tensor } from '@dit/tensor'
import { nullClass, type UNetConfig } from './config.js'
import { type Layer, planUNet } from './plan.js'

/**
 * Name and shape of every parameter. Convolutions are `[out, in, 3, 3]`, linear layers `[out, in]`, projections of attention
 * `[out, in, 1]`.
 *
 * @throws RangeError for a configuration that cannot be
 */
export function unetParameterShapes(config: UNetConfig): Record<string, Shape> {
  const { down, middle, up, last, embedding } = planUNet(config)
  const layers = [...down, middle, ...up].flatMap((stage) => stage.layers)
  const rows = config.numClasses + (nullClass(config) === null ? 0 : 1)
  return {
    ...affine('time_embed.0', [embedding, config.channels]),
    ...affine('time_embed.2', [embedding, embedding]),
    'label_emb.weight': [rows, embedding],
    ...Object.assign({}, ...layers.map((layer) => layerShapes(layer, embedding))),
    ...norm('out.0', last.from),
    ...affine('out.2', [last.to, last.from, 3, 3]),
  }
}

function affine(name: string, shape: Shape): Record<string, Shape> {
  return { [`${name}.weight`]: shape, [`${name}.bias`]: [shape[0]] }
}

function norm(name: string, channels: number): Record<string, Shape> {
  return { [`${name}.weight`]: [channels], [`${name}.bias`]: [channels] }
}

function layerShapes(layer: Layer, embedding: number): Record<string, Shape> {
  const { name } = layer
  switch (layer.kind) {
    case 'convolution':
      return affine(name, [layer.to, layer.from, 3, 3])
    case 'halve':
    case 'double':
      return affine(name, [layer.channels, layer.channels, 3, 3])
    case 'attention': {
      const { channels } = layer
      return {
        ...norm(`${name}.norm`, channels),
        ...affine(`${name}.qkv`, [3 * channels, channels, 1]),
        ...affine(`${name}.proj_out`, [channels, channels, 1]),
      }
    }
    default: {
      const { from, to } = layer
      return {
        ...norm(`${name}.in_layers.0`, from),
        ...affine(`${name}.in_layers.2`, [to, from, 3, 3]),
        ...affine(`${name}.emb_layers.1`, [2 * to, embedding]),
        ...norm(`${name}.out_layers.0`, to),
        ...affine(`${name}.out_layers.3`, [to, to, 3, 3]),
        ...(from === to ? {} : affine(`${name}.skip_connection`, [to, from, 1, 1])),
      }
    }
  }
}

/** Last layers of the network, of residual blocks and of attention begin as zero, so that each block begins as the identity. */
const ZERO = /(^out\.2|\.out_layers\.3|\.proj_out)\.weight$/
/** Weights of norms, which begin as 1. */
const NORM = /(\.norm|_layers\.0|^out\.0)\.weight$/

export interface UNetInitOptions {
  /** Non-negative integer. */
  readonly seed?: number
  /** Where the parameters live; the current backend by default. */
  readonly backend?: Backend
}

/**
 * Parameters of a fresh network: weights and biases uniform within 1 / sqrt(fan in), as PyTorch begins its layers; class vectors
 * normal; norms 1 and 0; the last layer of every block zero. Each draws from a stream of its own, named after it.
 *
 * @returns by name; the caller disposes of them
 * @throws RangeError when the configuration or the seed is invalid
 */
export function initUNet(config: UNetConfig, { seed = 0, backend = currentBackend() }: UNetInitOptions = {}): Params {
  const shapes = unetParameterShapes(config)
  return scope(() =>
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => {
        const stream = randomStream(seed, 'init', name)
        return [name, tensor(initialValues(shapes, name, stream), shape, { backend })]
      }),
    ),
  )
}

function initialValues(shapes: Record<string, Shape>, name: string, stream: RandomStream): Float32Array {
  const size = sizeOf(shapes[name])
  if (name === 'label_emb.weight') return normals(stream, size)
  const weightName = name.replace(/bias$/, 'weight')
  if (NORM.test(weightName)) return new Float32Array(size).fill(name === weightName ? 1 : 0)
  if (ZERO.test(weightName)) return new Float32Array(size)
  const [rows] = shapes[weightName]
  const bound = Math.sqrt(rows / sizeOf(shapes[weightName]))
  return uniforms(stream, size).map((draw) => bound * (2 * draw - 1))
}
