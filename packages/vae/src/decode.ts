import { formatShape, type Params, scope, type Tensor, upsample2x } from '@dit/tensor'
import { blocksOf, chain, type Step } from './blocks.js'
import { checkVaeParamsOnce } from './check-params.js'
import type { VaeConfig } from './config.js'

/**
 * Images of latents.
 *
 * @param z `[B, C, h, w]`, not scaled: latents of a diffusion model go through `unscaleLatents` first
 * @returns `[B, outChannels, H, W]`, `spatialFactor(config)` times as high and wide; mostly within [-1, 1], but not clamped
 * @throws RangeError when a shape does not fit or the parameters are not those of the configuration
 *
 * Rombach et al. 2022, section 3.1 and appendix G.
 */
export function decode(config: VaeConfig, params: Params, z: Tensor): Tensor {
  checkVaeParamsOnce(config, params)
  checkLatents('decode', config, z)
  return scope(() => decodeLatents(config, params, z))
}

/** `decode` without the checks. */
export function decodeLatents(config: VaeConfig, params: Params, z: Tensor): Tensor {
  const { blockOutChannels, layersPerBlock, normNumGroups, usePostQuantConv } = config
  const { convolution, norm, resnet, middle } = blocksOf(params, normNumGroups)
  const steps: Step[] = usePostQuantConv ? [convolution('post_quant_conv', {})] : []
  steps.push(convolution('decoder.conv_in'), middle('decoder.mid_block'))
  for (let level = 0; level < blockOutChannels.length; level++) {
    const name = `decoder.up_blocks.${level}`
    for (let i = 0; i < layersPerBlock + 1; i++) steps.push(resnet(`${name}.resnets.${i}`))
    if (level < blockOutChannels.length - 1) steps.push(upsample2x, convolution(`${name}.upsamplers.0.conv`))
  }
  steps.push(norm('decoder.conv_norm_out', 'silu'), convolution('decoder.conv_out'))
  return chain(z, steps)
}

/** @throws RangeError unless the decoder can take the latents */
export function checkLatents(caller: string, { latentChannels }: VaeConfig, z: Tensor): void {
  if (z.shape.length !== 4 || z.shape[1] !== latentChannels || z.shape.some((extent) => extent < 1)) {
    throw new RangeError(`${caller}: z must be [B, ${latentChannels}, h, w] (got ${formatShape(z.shape)})`)
  }
}
