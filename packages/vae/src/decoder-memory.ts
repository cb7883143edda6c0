import { spatialFactor, type VaeConfig } from './config.js'

/** Feature maps of the widest level that live at once: the input of a residual block, its two products, and their unfolded patches. */
const MAPS = 4

/**
 * About how many bytes decoding a whole picture takes beside parameters and the picture itself, in float32: a few feature maps of the level
 * that has most numbers. `decodeTiled` needs only those of a tile.
 *
 *   bytes = 4 MAPS max over levels of (channels height width)
 *
 * @param height of the picture in pixels, a multiple of `spatialFactor(config)`
 */
export function decoderMemory(config: VaeConfig, height: number, width: number): number {
  const { blockOutChannels } = config
  const factor = spatialFactor(config)
  const widest = blockOutChannels.map((channels, level) => {
    // The first block of a level still has the channels of the one below it.
    const most = Math.max(channels, blockOutChannels[level + 1] ?? channels)
    return (most * height * width) / 4 ** Math.min(level, Math.log2(factor))
  })
  return Float32Array.BYTES_PER_ELEMENT * MAPS * Math.max(...widest)
}
