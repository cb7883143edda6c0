import type { GuidanceRange } from '@dit/sampler'
import type { Pipeline } from '../pipeline.js'
import type { PictureData } from '../pictures/picture.js'
import type { SdeOptions } from './flow-options.js'
import type { RecordedNoise } from './recorded-noise.js'
import type { LayoutOptions, SamplerName } from './sampler-names.js'

/** What is sampled, and how. Every option has a default. */
export interface SampleOptions extends LayoutOptions, SdeOptions {
  /**
   * Classes by name or number: a list, one text with commas, or `all`. By default all of them, where there are at most a hundred. An
   * unconditional use of a model with one class needs none.
   */
  readonly classes?: string | number | readonly (string | number)[]
  /** Samples of each class; 1 by default. */
  readonly count?: number
  /** Samples in all, of classes drawn at random by the seed, in place of `count`. */
  readonly total?: number
  /** Class of each sample, `[N]`, in place of `classes`, `count` and `total`. */
  readonly labels?: ArrayLike<number>
  /** Denoising steps; at most 50 by default. */
  readonly steps?: number
  /** The method; by default the scheduler of a diffusers folder, `midpoint` for a flow, else `ddpm` (`ddim` from a picture). */
  readonly sampler?: SamplerName
  /** Share of noise in each step of `ddim`, 0 (default) to 1. */
  readonly eta?: number
  /** Relative and absolute error of a step of `dopri5`. */
  readonly rtol?: number
  readonly atol?: number
  /** Scale of classifier-free guidance; 1 (default) is none. */
  readonly guidance?: number
  /** Channels that are guided, from the first: 3 by default, all for weights of diffusers. */
  readonly guidanceChannels?: number | 'all'
  /** Guidance where sigma / alpha lies in this range only; everywhere by default. */
  readonly guidanceInterval?: GuidanceRange
  /** How much of the contrast of the conditional output guided channels get back, 0 (default) to 1. */
  readonly guidanceRescale?: number
  /** The label that stands for no class; the model's own by default. */
  readonly nullClass?: number
  /** A weaker model of the same process and engine that `guidance` leads away from, in place of no class. */
  readonly guide?: Pick<Pipeline, 'model' | 'params'>
  /** Keep estimates in the range of pixels; by default for models of pixels. */
  readonly clip?: boolean
  /** Seed of all noise; 0 by default. Sample i has noise of its own, a function of the seed and i. */
  readonly seed?: number
  /** Noise to start from, `[N, C, H, W]`, in place of that of the seed. */
  readonly noise?: RecordedNoise
  /** Noise of the steps, `[draws, N, C, H, W]`, for `sde`, `heun-sde`, `ddpm` and `ddim`. */
  readonly draws?: RecordedNoise
  /** Samples at a time, 32 by default; it does not change their noise. */
  readonly batchSize?: number
  /** A picture to start from, of the size of the model's pictures. */
  readonly image?: PictureData
  /** How far the picture is taken back towards noise, above 0 and up to 1: 0.6 by default, 1 with a mask. */
  readonly strength?: number
  /** Where the picture is painted anew: white, as in other tools; black keeps the picture, grey blends. */
  readonly mask?: PictureData
  /** Decode large pictures of an autoencoder in tiles: less memory, and a little different. Default: false. */
  readonly tile?: boolean
  /** Stops between two steps. */
  readonly signal?: AbortSignal
}

/** The name of every option. */
const NAMES = {
  classes: true,
  count: true,
  total: true,
  labels: true,
  steps: true,
  sampler: true,
  spacing: true,
  shift: true,
  eta: true,
  rtol: true,
  atol: true,
  diffusionForm: true,
  diffusionNorm: true,
  lastStep: true,
  lastStepSize: true,
  guidance: true,
  guidanceChannels: true,
  guidanceInterval: true,
  guidanceRescale: true,
  nullClass: true,
  guide: true,
  clip: true,
  seed: true,
  noise: true,
  draws: true,
  batchSize: true,
  image: true,
  strength: true,
  mask: true,
  tile: true,
  signal: true,
} as const satisfies Record<keyof SampleOptions, true>

export const SAMPLE_OPTIONS: readonly string[] = Object.keys(NAMES)

/** What holds where an option is absent. */
export const SAMPLE_DEFAULTS = {
  count: 1,
  steps: 50,
  eta: 0,
  guidance: 1,
  guidanceChannels: 3,
  seed: 0,
  batchSize: 32,
  strength: 0.6,
} as const
