import { concat, formatShape, scope, slice, type Tensor } from '@dit/tensor'
import {
  checkChannels,
  checkedLabels,
  checkScale,
  guide,
  type LabelledModel,
  type Timesteps,
  withGuided,
} from './guided.js'

export interface GuidedDoubledOptions {
  /** `[2 * M]`: classes, then the null label M times. */
  readonly labels: ArrayLike<number>
  readonly scale: number
  /** How many of the first output channels are guided; 3 by default, or all where the output has fewer. */
  readonly channels?: number
}

/**
 * Classifier-free guidance on a batch that its caller has doubled, exactly as in the reference implementation. Use
 * `guided` unless you need this layout.
 *
 *   output = uncond + scale (cond - uncond)          on the first channels, copied to both halves
 *
 * Only the first half of `xt` is looked at. The other channels stay unguided, each half keeping its own. With fewer than
 * three channels in `xt` the default reaches into the variance channels, as the reference implementation does.
 *
 * @returns `(xt, timesteps) => output`, `[2 * M, ...]` to `[2 * M, ...]`; the caller disposes of the output
 * @throws RangeError when the scale is not finite, the number of labels is odd, a label is no integer or `channels` is
 *   out of range, and, when called, for a batch of another size than the labels
 *
 * Peebles and Xie 2022, "Scalable Diffusion Models with Transformers", section 4.
 */
export function guidedDoubled(
  model: LabelledModel,
  { labels, scale, channels = 3 }: GuidedDoubledOptions,
): (xt: Tensor, timesteps: Timesteps) => Tensor {
  checkScale('guidedDoubled', scale)
  checkChannels('guidedDoubled', channels)
  const both = checkedLabels('guidedDoubled', labels)
  const half = both.length / 2
  if (!Number.isInteger(half)) {
    throw new RangeError(`guidedDoubled: the batch must be even: classes, then null labels (got ${both.length} labels)`)
  }
  return (xt, timesteps) => {
    if (xt.shape[0] !== both.length || timesteps.length !== both.length) {
      throw new RangeError(
        `guidedDoubled: there must be one label and one timestep per sample ` +
          `(got ${both.length} and ${timesteps.length} for ${formatShape(xt.shape)})`,
      )
    }
    return scope(() => {
      const first = slice(xt, 0, 0, half)
      const output = model(concat([first, first], 0), timesteps, both)
      const towards = guide(output, scale, Math.min(channels, output.shape[1]))
      return withGuided(concat([towards, towards], 0), output)
    })
  }
}
