import { formatShape, type Params, scope, type Tensor } from '@dit/tensor'
import { blocksOf, chain, type Step } from './blocks.js'
import { checkVaeParamsOnce } from './check-params.js'
import { spatialFactor, type VaeConfig } from './config.js'
import { type Posterior, posteriorOf } from './posterior.js'

/**
 * The distribution of latents of images.
 *
 * Each of its pixels stands for `spatialFactor(config)` by so many of the image. Its values are not scaled yet: see
 * `scaleLatents`.
 *
 * @param images `[B, inChannels, H, W]` in [-1, 1]; H and W are multiples of `spatialFactor(config)`
 * @returns the caller disposes of it
 * @throws RangeError when a shape does not fit or the parameters are not those of the configuration
 *
 * Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models", section 3.1 and appendix G.
 */
export function encode(config: VaeConfig, params: Params, images: Tensor): Posterior {
  checkVaeParamsOnce(config, params)
  checkImages('encode', config, images)
  return scope(() => posteriorOf(encodeMoments(config, params, images)))
}

/** What `posteriorOf` reads: `[B, 2 C, h, w]`. */
export function encodeMoments(config: VaeConfig, params: Params, images: Tensor): Tensor {
  const { blockOutChannels, layersPerBlock, normNumGroups, useQuantConv } = config
  const { convolution, norm, resnet, middle } = blocksOf(params, normNumGroups)
  const steps: Step[] = [convolution('encoder.conv_in')]
  for (let level = 0; level < blockOutChannels.length; level++) {
    const name = `encoder.down_blocks.${level}`
    for (let i = 0; i < layersPerBlock; i++) steps.push(resnet(`${name}.resnets.${i}`))
    if (level < blockOutChannels.length - 1) {
      // Zeros on the right and below alone, so that windows of three pixels halve even sides.
      steps.push(convolution(`${name}.downsamplers.0.conv`, { stride: 2, padding: { bottom: 1, right: 1 } }))
    }
  }
  steps.push(middle('encoder.mid_block'), norm('encoder.conv_norm_out', 'silu'), convolution('encoder.conv_out'))
  if (useQuantConv) steps.push(convolution('quant_conv', {}))
  return chain(images, steps)
}

/** @throws RangeError unless the encoder can take the images */
export function checkImages(caller: string, config: VaeConfig, images: Tensor): void {
  const factor = spatialFactor(config)
  const [B, C, H, W] = images.shape
  const isWhole = (extent: number) => extent >= factor && extent % factor === 0
  if (images.shape.length !== 4 || B < 1 || C !== config.inChannels || !isWhole(H) || !isWhole(W)) {
    throw new RangeError(
      `${caller}: images must be [B, ${config.inChannels}, H, W] with H and W multiples of ${factor} (got ${formatShape(images.shape)})`,
    )
  }
}
