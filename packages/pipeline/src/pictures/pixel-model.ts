import type { DiTConfig } from '@dit/model'

/** `[C, H, W]` of what a network makes. */
export function sampleShape({ inChannels, inputSize }: DiTConfig): [channels: number, height: number, width: number] {
  const [height, width] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  return [inChannels, height, width]
}

/** Whether a network makes pictures, grey or in colours, and no latents. */
export function isPixelModel({ inChannels }: DiTConfig): boolean {
  return inChannels === 1 || inChannels === 3
}
