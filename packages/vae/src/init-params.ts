import { randomStream, uniforms } from '@dit/random'
import { type Backend, currentBackend, type Params, scope, type Shape, sizeOf, tensor } from '@dit/tensor'
import type { VaeConfig } from './config.js'
import { vaeParameterShapes } from './parameter-shapes.js'

export interface InitVaeOptions {
  /** Non-negative integer. */
  readonly seed?: number
  /** Where the parameters live; the current backend by default. */
  readonly backend?: Backend
}

/**
 * Parameters of a fresh autoencoder, such as tests and measurements need: weights and biases of convolutions and linear
 * layers are uniform within 1 / sqrt(inputs of an output), as PyTorch draws them; group norms begin with 1 and 0.
 *
 * @returns by name; the caller disposes of them
 * @throws RangeError when the configuration or the seed is invalid
 */
export function initVaeParams(
  config: VaeConfig,
  { seed = 0, backend = currentBackend() }: InitVaeOptions = {},
): Params {
  const shapes = vaeParameterShapes(config)
  return scope(() =>
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [
        name,
        tensor(initialValues(shapes, name, shape, seed), shape, { backend }),
      ]),
    ),
  )
}

function initialValues(
  shapes: Readonly<Record<string, Shape>>,
  name: string,
  shape: Shape,
  seed: number,
): Float32Array {
  const weight = shapes[name.replace(/\.bias$/, '.weight')]
  if (weight.length === 1) return new Float32Array(sizeOf(shape)).fill(name.endsWith('.weight') ? 1 : 0)
  const bound = 1 / Math.sqrt(sizeOf(weight.slice(1)))
  return uniforms(randomStream(seed, 'vae', name), sizeOf(shape)).map((draw) => bound * (2 * draw - 1))
}
