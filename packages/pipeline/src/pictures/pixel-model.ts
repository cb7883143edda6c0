import type { DiTConfig } from '@dit/model'
import type { SampledNetwork } from '../network.js'

/** What tells the shape of a network's pictures: the configuration of a DiT, or any network as sampling sees it. */
type WithShape = Pick<DiTConfig, 'inChannels' | 'inputSize'> | Pick<SampledNetwork, 'inputShape'>

/** `[C, H, W]` of what a network makes. */
export function sampleShape(network: WithShape): [channels: number, height: number, width: number] {
  if ('inputShape' in network) return [...network.inputShape]
  const { inChannels, inputSize } = network
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  return [inChannels, height, width]
}

/** Whether a network makes pictures, grey or in colours, and no latents. */
export function isPixelModel(network: WithShape): boolean {
  const [channels] = sampleShape(network)
  return channels === 1 || channels === 3
}
