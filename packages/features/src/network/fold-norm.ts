/** What batch normalization does to a channel once training is over: gain (x - mean) / sqrt(variance + epsilon) + shift. */
export interface ChannelNorm {
  readonly gain: ArrayLike<number>
  readonly shift: ArrayLike<number>
  readonly mean: ArrayLike<number>
  readonly variance: ArrayLike<number>
  readonly epsilon: number
}

/**
 * A convolution without bias and the batch normalization after it as one convolution, in float64:
 *
 *   weight' = scale weight        bias' = shift - scale mean        scale = gain / sqrt(variance + epsilon)
 *
 * @param weight `[O, ...]`, the norm's arrays `[O]`
 */
export function foldNorm(
  weight: ArrayLike<number>,
  { gain, shift, mean, variance, epsilon }: ChannelNorm,
): { readonly weight: Float64Array; readonly bias: Float64Array } {
  const channels = gain.length
  const size = weight.length / channels
  const folded = new Float64Array(weight.length)
  const bias = new Float64Array(channels)
  for (let o = 0, at = 0; o < channels; o++) {
    const scale = gain[o] / Math.sqrt(variance[o] + epsilon)
    bias[o] = shift[o] - scale * mean[o]
    for (const end = at + size; at < end; at++) folded[at] = scale * weight[at]
  }
  return { weight: folded, bias }
}
