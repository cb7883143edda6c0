import { add, affine, chunk, formatShape, linear, mul, reshape, sameShape, scope, type Tensor } from '@dit/tensor'

/**
 * Scale and shift of tokens, given per sample.
 *
 *   out = x * (1 + scale) + shift
 *
 * Right after a layer norm use `layerNormModulate` of @dit/tensor, which is both in one kernel.
 *
 * @param x     `[B, N, D]`
 * @param shift `[B, D]`
 * @param scale `[B, D]`; the 1 is added here
 * @returns `[B, N, D]`
 * @throws RangeError when the extents do not fit
 *
 * Perez et al. 2018, "FiLM", eq. 2; Peebles & Xie 2022, section 3.2.
 */
export function modulate(x: Tensor, shift: Tensor, scale: Tensor): Tensor {
  const [B, , D] = x.shape
  if (x.shape.length !== 3 || !sameShape(shift.shape, [B, D]) || !sameShape(scale.shape, [B, D])) {
    throw new RangeError(
      `modulate: x must be [B, N, D], shift and scale [B, D] (got ${[x, shift, scale].map((t) => formatShape(t.shape)).join(', ')})`,
    )
  }
  return scope(() => add(mul(x, affine(reshape(scale, [B, 1, D]), 1, 1)), reshape(shift, [B, 1, D])))
}

/** What a block does to its two branches; each `[B, D]`. "Msa" is the attention branch, "Mlp" the other. */
export interface BlockModulation {
  readonly shiftMsa: Tensor
  readonly scaleMsa: Tensor
  readonly gateMsa: Tensor
  readonly shiftMlp: Tensor
  readonly scaleMlp: Tensor
  readonly gateMlp: Tensor
}

/**
 * adaLN-Zero conditioning of a block:
 *
 *   shiftMsa, scaleMsa, gateMsa, shiftMlp, scaleMlp, gateMlp = SiLU(c) W^T + bias, cut into six
 *
 * With zero weights, as a model starts, both gates are 0 and the block is the identity.
 *
 * @param siluC  SiLU of the conditioning vector, `[B, D]`; the same for every block, so computed once by the caller
 * @param weight `[6 D, D]`
 * @param bias   `[6 D]`
 * @throws RangeError when the extents do not fit
 *
 * Peebles & Xie 2022, section 3.2 ("adaLN-Zero"); their gamma, beta and alpha are scale, shift and gate here, and the
 * order of the six is that of the published weights.
 */
export function blockModulation(siluC: Tensor, weight: Tensor, bias: Tensor): BlockModulation {
  checkModulation('blockModulation', 6, siluC, weight)
  return scope(() => {
    const [shiftMsa, scaleMsa, gateMsa, shiftMlp, scaleMlp, gateMlp] = chunk(linear(siluC, weight, bias), 6) // 6 x [B, D]
    return { shiftMsa, scaleMsa, gateMsa, shiftMlp, scaleMlp, gateMlp }
  })
}

/** What the last layer does to its normalised tokens; each `[B, D]`. */
export interface FinalModulation {
  readonly shift: Tensor
  readonly scale: Tensor
}

/**
 * Conditioning of the final layer: shift, scale = SiLU(c) W^T + bias, cut into two.
 *
 * @param siluC  SiLU of the conditioning vector, `[B, D]`
 * @param weight `[2 D, D]`
 * @param bias   `[2 D]`
 * @throws RangeError when the extents do not fit
 *
 * Peebles & Xie 2022, section 3.2.
 */
export function finalModulation(siluC: Tensor, weight: Tensor, bias: Tensor): FinalModulation {
  checkModulation('finalModulation', 2, siluC, weight)
  return scope(() => {
    const [shift, scale] = chunk(linear(siluC, weight, bias), 2) // 2 x [B, D]
    return { shift, scale }
  })
}

function checkModulation(caller: string, parts: number, siluC: Tensor, weight: Tensor): void {
  const [, D] = siluC.shape
  if (siluC.shape.length !== 2 || !sameShape(weight.shape, [parts * D, D])) {
    throw new RangeError(
      `${caller}: siluC must be [B, D] and weight [${parts} * D, D] (got ${formatShape(siluC.shape)} and ${formatShape(weight.shape)})`,
    )
  }
}
