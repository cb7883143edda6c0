import { add, affine, concat, formatShape, scope, slice, sub, type Tensor } from '@dit/tensor'
import { checkPhi, rescaleGuided } from './rescale-guided.js'

/** Host timesteps, fractional ones as float32. */
export type Timesteps = Int32Array | Float32Array

/** A class-conditional model: `xt` `[B, C, H, W]`, original timesteps `[B]`, labels `[B]`. */
export type LabelledModel = (xt: Tensor, timesteps: Timesteps, labels: Int32Array) => Tensor

export interface GuidedOptions {
  /** `[B]` classes asked for. */
  readonly labels: ArrayLike<number>
  /** The label that stands for no class. */
  readonly nullLabel: number
  /** `[B]` classes to lean away from, in place of no class. */
  readonly negativeLabels?: ArrayLike<number>
  /** 1 is the plain conditional model, 0 the unconditional one; above 1 trades variety for fidelity. */
  readonly scale: number
  /**
   * How many of the first output channels are guided; `'all'` means those of `xt`. The default is 3 as in the reference
   * implementation, or fewer where `xt` has fewer.
   */
  readonly channels?: number | 'all'
  /**
   * How much of the contrast of the conditional output the guided channels get back, phi of `rescaleGuided`, from 0 (default) to
   * 1. Strong guidance needs it, above all on processes that end without signal.
   */
  readonly rescale?: number
}

/** As in the reference implementation, where the fourth of the four latent channels stays unguided. */
const DEFAULT_CHANNELS = 3

/**
 * Classifier-free guidance: a model for samplers that leans towards a class.
 *
 *   output = uncond + scale (cond - uncond)          on the guided channels, cond elsewhere
 *
 * With `negativeLabels` uncond is the output for these classes, and the samples lean away from them.
 *
 * Each call runs the model once on `[2 * B, ...]`, conditional half first; with a scale of exactly 1 once on `[B, ...]`.
 * Variance channels are never guided. Unlike the reference implementation, this holds for fewer than three channels too.
 *
 * @returns `(xt, timesteps) => output`, `[B, ...]` to `[B, ...]`, for `ddpm` and its like; the caller disposes of the output
 * @throws RangeError when the scale is not finite, a label is no integer, `channels` or `rescale` is out of range, or there are
 *   not as many negative labels as labels, and, when called, for a batch of another size than the labels
 *
 * @example
 * const predict = guided(model, { labels: [207, 360], nullLabel: 1000, scale: 4 })
 *
 * Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", eq. 6, with scale = 1 + w; Peebles and Xie 2022, section 4
 * (three channels).
 */
export function guided(
  model: LabelledModel,
  { labels, nullLabel, negativeLabels, scale, channels, rescale = 0 }: GuidedOptions,
): (xt: Tensor, timesteps: Timesteps) => Tensor {
  checkScale('guided', scale)
  const cond = checkedLabels('guided', labels)
  const [none] = checkedLabels('guided', [nullLabel])
  if (channels !== 'all') checkChannels('guided', channels ?? DEFAULT_CHANNELS)
  checkPhi('guided', rescale)
  const uncond = negativeLabels === undefined ? cond.map(() => none) : checkedLabels('guided', negativeLabels)
  if (uncond.length !== cond.length) {
    throw new RangeError(
      `guided: there must be one negative label for each label (got ${uncond.length} for ${cond.length})`,
    )
  }
  const both = Int32Array.of(...cond, ...uncond)
  return (xt, timesteps) => {
    const [batch, available] = xt.shape
    if (batch !== cond.length) {
      throw new RangeError(
        `guided: there must be one label per sample (got ${cond.length} for ${formatShape(xt.shape)})`,
      )
    }
    if (timesteps.length !== batch) {
      throw new RangeError(`guided: there must be one timestep per sample (got ${timesteps.length} for ${batch})`)
    }
    if (typeof channels === 'number' && channels > available) {
      throw new RangeError(
        `guided: channels must not exceed those of xt (got ${channels} for ${formatShape(xt.shape)})`,
      )
    }
    if (scale === 1) return model(xt, timesteps, cond)
    const numGuided = channels === 'all' ? available : (channels ?? Math.min(DEFAULT_CHANNELS, available))
    return scope(() => {
      const output = model(concat([xt, xt], 0), twice(timesteps), both) // [2 * B, ...]
      const towards = slice(output, 0, 0, batch)
      const leaning = guide(output, scale, numGuided)
      if (rescale === 0) return withGuided(leaning, towards)
      return withGuided(rescaleGuided(leaning, slice(towards, 1, 0, numGuided), rescale), towards)
    })
  }
}

/** uncond + scale (cond - uncond) on the first channels of an output whose halves are cond and uncond. */
export function guide(output: Tensor, scale: number, numGuided: number): Tensor {
  return scope(() => {
    const half = output.shape[0] / 2
    const channels = slice(output, 1, 0, numGuided)
    const [cond, uncond] = [slice(channels, 0, 0, half), slice(channels, 0, half, half)]
    return add(uncond, affine(sub(cond, uncond), scale))
  })
}

/** `output` with its first channels replaced. */
export function withGuided(first: Tensor, output: Tensor): Tensor {
  const rest = output.shape[1] - first.shape[1]
  return scope(() => (rest === 0 ? first : concat([first, slice(output, 1, first.shape[1], rest)], 1)))
}

/** Throws unless the scale is a finite number. */
export function checkScale(caller: string, scale: number): void {
  if (!Number.isFinite(scale)) throw new RangeError(`${caller}: scale must be a finite number (got ${scale})`)
}

/** Throws unless it is a positive integer. */
export function checkChannels(caller: string, channels: number): void {
  if (!Number.isInteger(channels) || channels < 1) {
    throw new RangeError(`${caller}: channels must be a positive integer (got ${channels})`)
  }
}

/** A copy, once every label is known to be a non-negative integer. */
export function checkedLabels(caller: string, labels: ArrayLike<number>): Int32Array {
  for (let i = 0; i < labels.length; i++) {
    if (!Number.isInteger(labels[i]) || labels[i] < 0) {
      throw new RangeError(`${caller}: labels must be non-negative integers (got ${labels[i]})`)
    }
  }
  return Int32Array.from(labels)
}

function twice(timesteps: Timesteps): Timesteps {
  const both =
    timesteps instanceof Int32Array ? new Int32Array(2 * timesteps.length) : new Float32Array(2 * timesteps.length)
  both.set(timesteps)
  both.set(timesteps, timesteps.length)
  return both
}
