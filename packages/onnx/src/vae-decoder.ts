import { checkVaeConfig, spatialFactor, type VaeConfig } from '@dit/vae'
import { GraphBuilder, type OnnxGraph } from './graph.js'
import { operationsOf } from './operations.js'

/** Of every group norm. */
const EPSILON = 1e-6

/**
 * The graph of the decoder of an autoencoder.
 *
 * - input: `latents`, float `[batch, C, height, width]`, scaled as a diffusion model has them
 * - output: `images`, float `[batch, outChannels, image_height, image_width]`, `spatialFactor(config)` times as large, not clamped
 *
 * It is `decode(config, params, unscaleLatents(config, latents))` of @dit/vae, for every size.
 *
 * @throws RangeError when the configuration is invalid
 */
export function vaeDecoderGraph(config: VaeConfig): OnnxGraph {
  checkVaeConfig(config)
  const { latentChannels: C, outChannels, layersPerBlock, usePostQuantConv } = config
  const graph = new GraphBuilder()
  const { silu } = operationsOf(graph)
  const { convolution, norm, resnet, attentionOverPixels } = layersOf(graph, config)
  const latents = graph.input('latents', 'float', ['batch', C, 'height', 'width'])
  const widths = config.blockOutChannels.toReversed()

  let x = unscaled(graph, config, latents)
  if (usePostQuantConv) x = convolution(x, 'post_quant_conv', C, C, 1)
  x = convolution(x, 'decoder.conv_in', widths[0], C, 3)
  x = resnet(x, 'decoder.mid_block.resnets.0', widths[0], widths[0])
  if (config.midBlockAddAttention) x = attentionOverPixels(x, 'decoder.mid_block.attentions.0', widths[0])
  x = resnet(x, 'decoder.mid_block.resnets.1', widths[0], widths[0])
  for (const [level, width] of widths.entries()) {
    const name = `decoder.up_blocks.${level}`
    for (let i = 0; i < layersPerBlock + 1; i++) {
      x = resnet(x, `${name}.resnets.${i}`, width, i === 0 ? widths[Math.max(0, level - 1)] : width)
    }
    if (level < widths.length - 1) x = convolution(doubled(graph, x), `${name}.upsamplers.0.conv`, width, width, 3)
  }
  const outermost = widths.at(-1)!
  x = silu(norm(x, 'decoder.conv_norm_out', outermost))
  x = convolution(x, 'decoder.conv_out', outChannels, outermost, 3)
  const sides = spatialFactor(config) === 1 ? ['height', 'width'] : ['image_height', 'image_width']
  graph.output('images', x, ['batch', outChannels, ...sides])
  return graph.finish('vae_decoder')
}

/** As `unscaleLatents`: by one factor, or by one a channel. */
function unscaled(graph: GraphBuilder, config: VaeConfig, latents: string): string {
  const { scalingFactor, shiftFactor, latentsMean, latentsStd } = config
  const { add, mul, scalar } = operationsOf(graph)
  if (latentsMean === undefined || latentsStd === undefined) {
    const x = mul(latents, scalar(1 / scalingFactor))
    return shiftFactor === 0 ? x : add(x, scalar(shiftFactor))
  }
  const channels = (values: readonly number[]) => graph.floats(values, [1, values.length, 1, 1])
  return add(mul(latents, channels(latentsStd.map((value) => value / scalingFactor))), channels(latentsMean))
}

function layersOf(graph: GraphBuilder, { normNumGroups }: VaeConfig) {
  const { add, attention, linear, mul, reshape, silu, transpose } = operationsOf(graph)

  const convolution = (x: string, name: string, out: number, width: number, side: number) => {
    const inputs = [graph.parameter(`${name}.weight`, [out, width, side, side]), graph.parameter(`${name}.bias`, [out])]
    const pad = (side - 1) / 2
    return graph.node('Conv', [x, ...inputs], { kernel_shape: [side, side], pads: [pad, pad, pad, pad] })
  }

  /** Groups as the channels of an instance norm: GroupNormalization of opset 18 has a gain per group. */
  const norm = (x: string, name: string, width: number) => {
    const groups = reshape(x, [0, normNumGroups, -1])
    const [ones, zeros] = [1, 0].map((value) =>
      graph.floats(new Float32Array(normNumGroups).fill(value), [normNumGroups]),
    )
    const normed = graph.node('InstanceNormalization', [groups, ones, zeros], { epsilon: { float: EPSILON } })
    const image = graph.node('Reshape', [normed, graph.node('Shape', [x])])
    const [gain, offset] = ['weight', 'bias'].map((part) => graph.parameter(`${name}.${part}`, [width, 1, 1]))
    return add(mul(image, gain), offset)
  }

  const resnet = (x: string, name: string, out: number, width: number) => {
    const first = convolution(silu(norm(x, `${name}.norm1`, width)), `${name}.conv1`, out, width, 3)
    const second = convolution(silu(norm(first, `${name}.norm2`, out)), `${name}.conv2`, out, out, 3)
    return add(out === width ? x : convolution(x, `${name}.conv_shortcut`, out, width, 1), second)
  }

  const attentionOverPixels = (x: string, name: string, width: number) => {
    const pixels = reshape(norm(x, `${name}.group_norm`, width), [0, width, -1]) // [B, C, N]
    const tokens = transpose(pixels, [0, 2, 1]) // [B, N, C]
    const shape = graph.node('Shape', [tokens])
    const project = (rows: string, part: string) =>
      graph.node('Reshape', [linear(reshape(rows, [-1, width]), `${name}.${part}`, [width, width], null), shape])
    const [q, k, v] = ['to_q', 'to_k', 'to_v'].map((part) => project(tokens, part))
    const mixed = project(attention(q, k, v, width, 3), 'to_out.0') // [B, N, C]
    return add(x, graph.node('Reshape', [transpose(mixed, [0, 2, 1]), graph.node('Shape', [x])]))
  }

  return { convolution, norm, resnet, attentionOverPixels }
}

/** Nearest neighbours: each pixel becomes four. */
function doubled(graph: GraphBuilder, x: string): string {
  return graph.node('Resize', [x, '', graph.floats([1, 1, 2, 2], [4])], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  })
}
