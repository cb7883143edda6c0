import { labelEmbedding, timestepEmbedding } from '@dit/adaln'
import {
  add,
  affine,
  attention,
  concat,
  conv2d,
  formatShape,
  groupNorm,
  linear,
  mul,
  type Params,
  permute,
  recompute,
  reshape,
  sameShape,
  scope,
  silu,
  slice,
  type Tensor,
  upsample2x,
} from '@dit/tensor'
import { sidesOf, type UNetConfig } from './config.js'
import { type Layer, planUNet, type Stage } from './plan.js'

/** What a U-Net reads. */
export interface UNetInputs {
  /** Noisy pictures, `[B, C, H, W]`. */
  readonly xt: Tensor
  /** `[B]`, on the host, as the process counts them. */
  readonly timesteps: ArrayLike<number>
  /** `[B]`, on the host: classes 0 .. numClasses - 1, or `numClasses` for none where labels are dropped in training. */
  readonly labels: ArrayLike<number>
}

/** Of every group norm. */
const EPSILON = 1e-5

/**
 * Runs a U-Net: convolutions and residual blocks on pictures that are halved from level to level and doubled again, with what came before
 * each halving laid beside what comes after the doubling.
 *
 *   residual(x)  = skip(x) + conv(SiLU(norm(conv(SiLU(norm(x)))) (1 + scale) + shift))     scale, shift = linear(SiLU(c))
 *   attention(x) = x + proj(attention(qkv(norm(x))))                                       over all pixels
 *
 * @param options `recompute`: how many stages keep only their input for the backward pass, `block` for all
 * @returns `[B, C, H, W]`, twice the channels with `learnSigma`; the caller disposes of it
 * @throws RangeError when a shape, label or timestep does not fit
 *
 * Dhariwal & Nichol 2021, "Diffusion Models Beat GANs on Image Synthesis", section 3 (adaptive group norm: section 3.1).
 */
export function unetForward(
  config: UNetConfig,
  params: Params,
  { xt, timesteps, labels }: UNetInputs,
  { recompute: recomputed = 'none' }: { readonly recompute?: 'none' | 'block' | number } = {},
): Tensor {
  const plan = planUNet(config)
  const [B] = xt.shape
  const expected = [B, config.inChannels, ...sidesOf(config)]
  if (!sameShape(xt.shape, expected) || timesteps.length !== B || labels.length !== B) {
    throw new RangeError(
      `unet: xt must be ${formatShape(expected)} with as many timesteps and labels (got ${formatShape(xt.shape)}, ${timesteps.length} and ${labels.length})`,
    )
  }
  const layers = layersOf(config, params)
  return scope(() => {
    const siluC = scope(() => silu(conditioning(params, timesteps, labels))) // [B, 4 C]
    let left = recomputed === 'block' ? Infinity : recomputed === 'none' ? 0 : recomputed
    const run = (stage: Stage, x: () => Tensor): Tensor => {
      const whole = () => scope(() => stage.layers.reduce((h, layer) => layers.run(layer, h, siluC), x()))
      return left-- > 0 ? recompute(whole) : whole()
    }
    const kept: Tensor[] = []
    let h = xt
    for (const stage of plan.down) {
      const input = h
      h = run(stage, () => input)
      kept.push(h)
    }
    const coarsest = h
    h = run(plan.middle, () => coarsest)
    for (const stage of plan.up) {
      const [below, beside] = [h, kept.pop()!]
      h = run(stage, () => concat([below, beside], 1))
    }
    return layers.last(h) // [B, C, H, W]
  })
}

/** c = embed(timesteps) + embed(labels), `[B, 4 C]`. */
function conditioning(params: Params, timesteps: ArrayLike<number>, labels: ArrayLike<number>): Tensor {
  const embedded = timestepEmbedding(timesteps, {
    weight0: params['time_embed.0.weight'],
    bias0: params['time_embed.0.bias'],
    weight2: params['time_embed.2.weight'],
    bias2: params['time_embed.2.bias'],
  })
  return add(embedded, labelEmbedding(labels, params['label_emb.weight']))
}

/** The layers with their parameters. */
function layersOf({ numGroups, headChannels }: UNetConfig, params: Params) {
  const of = (name: string) => [params[`${name}.weight`], params[`${name}.bias`]] as const
  const norm = (name: string, x: Tensor, activation: 'none' | 'silu') =>
    groupNorm(x, ...of(name), { numGroups, epsilon: EPSILON, activation })
  const convolution = (name: string, x: Tensor, stride = 1) => conv2d(x, ...of(name), { stride, padding: 1 })

  const residual = (name: string, x: Tensor, siluC: Tensor): Tensor => {
    const first = convolution(`${name}.in_layers.2`, norm(`${name}.in_layers.0`, x, 'silu'))
    const [B, channels] = first.shape
    const modulation = linear(siluC, ...of(`${name}.emb_layers.1`)) // [B, 2 channels]
    const [scale, shift] = [0, channels].map((start) =>
      reshape(slice(modulation, 1, start, channels), [B, channels, 1, 1]),
    )
    const normed = norm(`${name}.out_layers.0`, first, 'none')
    const told = silu(add(mul(normed, affine(scale, 1, 1)), shift))
    const change = convolution(`${name}.out_layers.3`, told)
    const [skip, skipBias] = of(`${name}.skip_connection`)
    return add(skip === undefined ? x : conv2d(x, skip, skipBias), change)
  }

  const selfAttention = (name: string, x: Tensor): Tensor => {
    const [B, C, H, W] = x.shape
    const project = (part: string, tokens: Tensor) => {
      const [weight, bias] = of(`${name}.${part}`)
      return linear(tokens, reshape(weight, weight.shape.slice(0, 2)), bias)
    }
    const pixels = reshape(norm(`${name}.norm`, x, 'none'), [B, C, H * W])
    const qkv = project('qkv', permute(pixels, [0, 2, 1])) // [B, N, 3 C]
    const mixed = project('proj_out', attention(qkv, C / headChannels)) // [B, N, C]
    return add(x, reshape(permute(mixed, [0, 2, 1]), x.shape)) // [B, C, H, W]
  }

  const run = (layer: Layer, x: Tensor, siluC: Tensor): Tensor => {
    switch (layer.kind) {
      case 'convolution':
        return convolution(layer.name, x)
      case 'residual':
        return residual(layer.name, x, siluC)
      case 'attention':
        return selfAttention(layer.name, x)
      case 'halve':
        return convolution(layer.name, x, 2)
      default:
        return convolution(layer.name, upsample2x(x))
    }
  }
  return { run, last: (x: Tensor) => convolution('out.2', norm('out.0', x, 'silu')) }
}
