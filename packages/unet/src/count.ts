import { sizeOf } from '@dit/tensor'
import type { UNetConfig } from './config.js'
import { unetParameterShapes } from './parameters.js'
import { type Layer, planUNet } from './plan.js'

/** Sizes and costs of a network, for one picture. */
export interface UNetCount {
  readonly parameters: number
  /** Of one forward pass. */
  readonly multiplyAdds: number
  /** Two a multiply-add. */
  readonly flops: number
  /** Of a training step: three forward passes. */
  readonly training: { readonly multiplyAdds: number; readonly flops: number }
}

/**
 * Counts as `@dit/scaling` counts a DiT: the matrix products of convolutions, linear layers and attention, without biases, norms,
 * activation functions and softmax.
 *
 * @throws RangeError for a configuration that cannot be
 */
export function countUNet(config: UNetConfig): UNetCount {
  const { down, middle, up, last, embedding } = planUNet(config)
  const { height, width } = down[0]
  let multiplyAdds = config.channels * embedding + embedding * embedding + 9 * last.from * last.to * height * width
  for (const stage of [...down, middle, ...up]) {
    for (const layer of stage.layers) multiplyAdds += ofLayer(layer, stage.height * stage.width, embedding)
  }
  const parameters = Object.values(unetParameterShapes(config)).reduce((sum, shape) => sum + sizeOf(shape), 0)
  return {
    parameters,
    multiplyAdds,
    flops: 2 * multiplyAdds,
    training: { multiplyAdds: 3 * multiplyAdds, flops: 6 * multiplyAdds },
  }
}

function ofLayer(layer: Layer, pixels: number, embedding: number): number {
  switch (layer.kind) {
    case 'convolution':
      return 9 * layer.from * layer.to * pixels
    case 'halve':
      return (9 * layer.channels ** 2 * pixels) / 4
    case 'double':
      return 9 * layer.channels ** 2 * pixels * 4
    case 'attention':
      return 4 * layer.channels ** 2 * pixels + 2 * pixels ** 2 * layer.channels
    default: {
      const { from, to } = layer
      const skip = from === to ? 0 : from * to
      return (9 * (from + to) * to + skip) * pixels + 2 * to * embedding
    }
  }
}
