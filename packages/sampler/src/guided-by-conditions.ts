import { scope, slice, type Tensor } from '@dit/tensor'
import { combine, type Term } from './combine.js'
import { checkScale, type Timesteps, withGuided } from './guided.js'

/**
 * A model of several conditions: `xt` `[B, C, H, W]`, original timesteps `[B]`, and the one condition that it is told, or null for none. Nulls
 * stand for the other guided ones; what is not guided by is told every time.
 */
export type ModelOfConditions = (xt: Tensor, timesteps: Timesteps, told: string | null) => Tensor

export interface GuidedByConditionsOptions {
  /** For each condition how strongly samples lean towards it: 0 leaves it out. */
  readonly scales: Readonly<Record<string, number>>
}

/**
 * Guidance by several conditions, each with a scale of its own.
 *
 *   output = uncond + sum of scale_i (cond_i - uncond)          on the channels of xt
 *
 * uncond is told none of them, cond_i the i-th alone. This is the score of p(x) times the product of p(condition_i | x)^scale_i, which takes the
 * conditions as independent given the picture; their order does not matter, and with one condition it is the formula of `guided`, on all
 * channels. Further channels, for a variance, are those of the first condition whose scale is not 0, and of uncond without one.
 *
 * Each call runs the model for each condition whose scale is not 0, and for uncond unless the scales add up to 1.
 *
 * @returns `(xt, timesteps) => output`; the caller disposes of the output
 * @throws RangeError when a scale is not finite
 *
 * @example
 * const predict = guidedByConditions(model, { scales: { caption: 4, pose: 1.5 } })
 *
 * Liu et al. 2022, "Compositional Visual Generation with Composable Diffusion Models", eq. 11.
 */
export function guidedByConditions(
  model: ModelOfConditions,
  { scales }: GuidedByConditionsOptions,
): (xt: Tensor, timesteps: Timesteps) => Tensor {
  for (const [name, scale] of Object.entries(scales)) checkScale(`guidedByConditions: ${name}`, scale)
  const used = Object.entries(scales).filter(([, scale]) => scale !== 0)
  const rest = 1 - used.reduce((sum, [, scale]) => sum + scale, 0)
  const all: (readonly [told: string | null, factor: number])[] = rest === 0 ? used : [...used, [null, rest]]
  return (xt, timesteps) =>
    scope(() => {
      const outputs = all.map(([told]) => model(xt, timesteps, told))
      const terms = all.map(([, factor], i): Term => [factor, slice(outputs[i], 1, 0, xt.shape[1])])
      return withGuided(combine(terms[0], ...terms.slice(1)), outputs[0])
    })
}
