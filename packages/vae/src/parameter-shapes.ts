import { type Shape, sizeOf } from '@dit/tensor'
import { checkVaeConfig, type VaeConfig } from './config.js'

/**
 * Name and shape of every parameter, by the names of diffusers' `AutoencoderKL`. Convolutions are `[out, in, height, width]`,
 * linear layers `[out, in]`.
 *
 * @throws RangeError when the configuration is invalid
 */
export function vaeParameterShapes(config: VaeConfig): Record<string, Shape> {
  checkVaeConfig(config)
  const { latentChannels: C, useQuantConv, usePostQuantConv } = config
  return {
    ...encoderShapes(config),
    ...(useQuantConv ? convolution('quant_conv', 2 * C, 2 * C, 1) : {}),
    ...(usePostQuantConv ? convolution('post_quant_conv', C, C, 1) : {}),
    ...decoderShapes(config),
  }
}

/** Number of values of all parameters. */
export function countVaeParameters(config: VaeConfig): number {
  return Object.values(vaeParameterShapes(config)).reduce((total, shape) => total + sizeOf(shape), 0)
}

type Shapes = Record<string, Shape>

function encoderShapes(config: VaeConfig): Shapes {
  const { blockOutChannels: widths, layersPerBlock, inChannels, latentChannels } = config
  const innermost = widths.at(-1)!
  const shapes = convolution('encoder.conv_in', widths[0], inChannels, 3)
  widths.forEach((width, level) => {
    const name = `encoder.down_blocks.${level}`
    for (let i = 0; i < layersPerBlock; i++) {
      Object.assign(shapes, resnet(`${name}.resnets.${i}`, width, i === 0 ? widths[Math.max(0, level - 1)] : width))
    }
    if (level < widths.length - 1) Object.assign(shapes, convolution(`${name}.downsamplers.0.conv`, width, width, 3))
  })
  return {
    ...shapes,
    ...middle('encoder.mid_block', config),
    ...norm('encoder.conv_norm_out', innermost),
    ...convolution('encoder.conv_out', 2 * latentChannels, innermost, 3),
  }
}

function decoderShapes(config: VaeConfig): Shapes {
  const { blockOutChannels, layersPerBlock, outChannels, latentChannels } = config
  const widths = blockOutChannels.toReversed()
  const shapes = {
    ...convolution('decoder.conv_in', widths[0], latentChannels, 3),
    ...middle('decoder.mid_block', config),
  }
  widths.forEach((width, level) => {
    const name = `decoder.up_blocks.${level}`
    for (let i = 0; i < layersPerBlock + 1; i++) {
      Object.assign(shapes, resnet(`${name}.resnets.${i}`, width, i === 0 ? widths[Math.max(0, level - 1)] : width))
    }
    if (level < widths.length - 1) Object.assign(shapes, convolution(`${name}.upsamplers.0.conv`, width, width, 3))
  })
  const outermost = widths.at(-1)!
  return {
    ...shapes,
    ...norm('decoder.conv_norm_out', outermost),
    ...convolution('decoder.conv_out', outChannels, outermost, 3),
  }
}

function middle(name: string, { blockOutChannels, midBlockAddAttention }: VaeConfig): Shapes {
  const width = blockOutChannels.at(-1)!
  const attention = `${name}.attentions.0`
  const projections = ['to_q', 'to_k', 'to_v', 'to_out.0'].flatMap((part) => [
    [`${attention}.${part}.weight`, [width, width]],
    [`${attention}.${part}.bias`, [width]],
  ])
  return {
    ...resnet(`${name}.resnets.0`, width, width),
    ...(midBlockAddAttention ? { ...norm(`${attention}.group_norm`, width), ...Object.fromEntries(projections) } : {}),
    ...resnet(`${name}.resnets.1`, width, width),
  }
}

function resnet(name: string, out: number, width: number): Shapes {
  return {
    ...norm(`${name}.norm1`, width),
    ...convolution(`${name}.conv1`, out, width, 3),
    ...norm(`${name}.norm2`, out),
    ...convolution(`${name}.conv2`, out, out, 3),
    ...(out === width ? {} : convolution(`${name}.conv_shortcut`, out, width, 1)),
  }
}

function norm(name: string, width: number): Shapes {
  return { [`${name}.weight`]: [width], [`${name}.bias`]: [width] }
}

function convolution(name: string, out: number, width: number, side: number): Shapes {
  return { [`${name}.weight`]: [out, width, side, side], [`${name}.bias`]: [out] }
}
