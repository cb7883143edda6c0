import {
  add,
  attention,
  concat,
  conv2d,
  type Conv2dOptions,
  groupNorm,
  linear,
  type Params,
  permute,
  reshape,
  scope,
  type Tensor,
} from '@dit/tensor'

/** Of every group norm of the network. */
const EPSILON = 1e-6

/** A step of the network. */
export type Step = (x: Tensor) => Tensor

/** Steps one after the other; what is made on the way lives no longer than needed, `x` is left to the caller. */
export function chain(x: Tensor, steps: readonly Step[]): Tensor {
  let current = x
  for (const step of steps) {
    const next = step(current)
    if (current !== x && next !== current) current.dispose() // a tape that needs it holds on to it
    current = next
  }
  return current
}

/** The parts of the network that have parameters, for one record of them. */
export function blocksOf(params: Params, numGroups: number) {
  const convolution =
    (name: string, options: Conv2dOptions = { padding: 1 }): Step =>
    (x) =>
      conv2d(x, params[`${name}.weight`], params[`${name}.bias`], options)

  const norm =
    (name: string, activation: 'none' | 'silu'): Step =>
    (x) =>
      groupNorm(x, params[`${name}.weight`], params[`${name}.bias`], { numGroups, epsilon: EPSILON, activation })

  /** x (through a 1x1 convolution where the width changes) + conv(silu(norm(conv(silu(norm(x)))))) */
  const resnet =
    (name: string): Step =>
    (x) =>
      scope(() => {
        const change = chain(x, [
          norm(`${name}.norm1`, 'silu'),
          convolution(`${name}.conv1`),
          norm(`${name}.norm2`, 'silu'),
          convolution(`${name}.conv2`),
        ])
        const shortcut = `${name}.conv_shortcut`
        return add(change, params[`${shortcut}.weight`] === undefined ? x : convolution(shortcut, {})(x))
      })

  /** x + attention over all pixels, with one head as wide as the channels. */
  const selfAttention =
    (name: string): Step =>
    (x) =>
      scope(() => {
        const [B, C, H, W] = x.shape
        const project = (part: string) => (tokens: Tensor) =>
          linear(tokens, params[`${name}.${part}.weight`], params[`${name}.${part}.bias`])
        const pixels = reshape(norm(`${name}.group_norm`, 'none')(x), [B, C, H * W])
        const tokens = permute(pixels, [0, 2, 1]) // [B, N, C]
        const qkv = concat(
          ['to_q', 'to_k', 'to_v'].map((part) => project(part)(tokens)),
          2,
        ) // [B, N, 3 C]
        const mixed = chain(qkv, [(all) => attention(all, 1), project('to_out.0')]) // [B, N, C]
        return add(x, reshape(permute(mixed, [0, 2, 1]), x.shape)) // [B, C, H, W]
      })

  /** Two residual blocks with an attention between them, if it is there. */
  const middle =
    (name: string): Step =>
    (x) => {
      const hasAttention = params[`${name}.attentions.0.to_q.weight`] !== undefined
      return chain(x, [
        resnet(`${name}.resnets.0`),
        ...(hasAttention ? [selfAttention(`${name}.attentions.0`)] : []),
        resnet(`${name}.resnets.1`),
      ])
    }

  return { convolution, norm, resnet, middle }
}
