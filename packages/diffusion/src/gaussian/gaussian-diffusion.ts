import {
  checkLossWeight,
  type DiffusionTables,
  type LossWeight,
  respace,
  type Respacing,
  type Schedule,
  scheduleBetas,
  type ScheduleEnds,
  spaceTimesteps,
} from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import { checkTimesteps } from './per-sample.js'

/**
 * What the first C output channels of the model stand for: the noise, x0, or x[t-1]. As in the reference implementation,
 * `previousX` changes the target of the squared error only; everywhere else such an output is read as noise.
 */
export type MeanType = 'epsilon' | 'x0' | 'previousX'

/**
 * Where the variance of p(x[t-1] | xt) comes from: from the model, as a place v between two log variances
 * (`learnedRange`; `learned` is the same here, as in the reference implementation), or from the schedule, as the
 * posterior variance (`fixedSmall`) or beta (`fixedLarge`).
 */
export type VarianceType = 'learnedRange' | 'learned' | 'fixedSmall' | 'fixedLarge'

/**
 * `mse`: squared error, plus the variational term of a learned variance. `rescaledMse`: that term times
 * numTimesteps / 1000. `kl`: the variational term alone. `rescaledKl`: that times numTimesteps.
 */
export type LossType = 'mse' | 'rescaledMse' | 'kl' | 'rescaledKl'

const meanTypes: readonly MeanType[] = ['epsilon', 'x0', 'previousX']
const varianceTypes: readonly VarianceType[] = ['learnedRange', 'learned', 'fixedSmall', 'fixedLarge']
const lossTypes: readonly LossType[] = ['mse', 'rescaledMse', 'kl', 'rescaledKl']

/** A Gaussian diffusion process and how a model takes part in it: plain data. */
export interface GaussianDiffusion {
  readonly family: 'gaussian'
  readonly meanType: MeanType
  readonly varianceType: VarianceType
  readonly lossType: LossType
  /** By which the squared error of a sample is multiplied; absent means 1. */
  readonly lossWeight?: LossWeight
  /** Steps of this process, after respacing. */
  readonly numTimesteps: number
  /** Steps of the process the model knows. */
  readonly originalNumTimesteps: number
  /** `[numTimesteps]`: what the model is told at step i. */
  readonly timestepMap: Int32Array
  readonly tables: DiffusionTables
}

export interface GaussianDiffusionOptions extends ScheduleEnds {
  /** Noise schedule of `scheduleBetas`, with `betaStart` and `betaEnd` where it has ends; `linear` by default. */
  readonly schedule?: Schedule
  /** Length of the schedule; 1000 by default. */
  readonly numTimesteps?: number
  /** `[T]` variances in (0, 1], in place of a schedule, its length and its ends. */
  readonly betas?: ArrayLike<number>
  /** Which steps to keep: `'250'`, `'ddim50'`, `'10,15,20'`, `[10, 15, 20]`; all of them by default. */
  readonly respacing?: Respacing
  readonly meanType?: MeanType
  readonly varianceType?: VarianceType
  readonly lossType?: LossType
  /** By which the squared error of a sample is multiplied (default `none`); not with the `kl` losses and `previousX`. */
  readonly lossWeight?: LossWeight
}

/**
 * A noise-predicting network, or anything of its shape: noisy samples `[B, C, H, W]` and the timesteps they have in the
 * original process, to `[B, C, H, W]` (or `[B, 2 * C, H, W]` with a learned variance). It is called inside a `scope`:
 * what it makes is freed, what existed before is not.
 */
export type Predict = (xt: Tensor, originalTimesteps: Int32Array) => Tensor

/**
 * The diffusion process of a DiT, with the defaults of the reference implementation: 1000 steps, linear schedule, noise
 * prediction, learned variance, squared error plus variational term.
 *
 *   q(xt | x0) = N(sqrt(alphaBar[t]) x0, 1 - alphaBar[t])
 *
 * The tables are always rebuilt from the kept timesteps, also where all are kept: see `respace` of `@dit/schedules`.
 *
 * @throws RangeError for an unknown name, impossible respacing, betas out of range, a loss weight without a squared error to
 *   weigh, or a beta of 1 unless the model predicts x0: where no signal is left, the noise does not tell x0
 * @throws TypeError when `betas` comes together with `schedule`, `numTimesteps` or an end
 *
 * @example
 * const diffusion = gaussianDiffusion({ respacing: '250' })
 *
 * Ho et al. 2020, "Denoising Diffusion Probabilistic Models"; Nichol and Dhariwal 2021, "Improved Denoising Diffusion
 * Probabilistic Models" (learned variance, respacing); Peebles and Xie 2022 for the defaults.
 */
export function gaussianDiffusion(options: GaussianDiffusionOptions = {}): GaussianDiffusion {
  const { meanType = 'epsilon', varianceType = 'learnedRange', lossType = 'mse', respacing = null } = options
  checkName('meanType', meanType, meanTypes)
  checkName('varianceType', varianceType, varianceTypes)
  checkName('lossType', lossType, lossTypes)
  const { lossWeight = 'none' } = options
  checkWeight(lossWeight, meanType, lossType)
  const betas = originalBetas(options)
  const { tables, timestepMap } = respace(betas, spaceTimesteps(betas.length, respacing))
  if (meanType !== 'x0') checkSignal(tables, options)
  return {
    family: 'gaussian',
    meanType,
    varianceType,
    lossType,
    ...(lossWeight === 'none' ? {} : { lossWeight }),
    numTimesteps: timestepMap.length,
    originalNumTimesteps: betas.length,
    timestepMap,
    tables,
  }
}

/**
 * What the model must be told: the timesteps of the original process.
 *
 * @param timesteps  `[B]`, in 0 .. numTimesteps - 1
 * @throws RangeError when one is out of range
 */
export function originalTimesteps(diffusion: GaussianDiffusion, timesteps: Int32Array): Int32Array {
  checkTimesteps('originalTimesteps', diffusion, timesteps)
  return timesteps.map((timestep) => diffusion.timestepMap[timestep])
}

/** True where the model's output has C variance channels after its C mean channels. */
export function hasLearnedVariance({ varianceType }: GaussianDiffusion): boolean {
  return varianceType === 'learnedRange' || varianceType === 'learned'
}

function originalBetas(options: GaussianDiffusionOptions): ArrayLike<number> {
  const { schedule, numTimesteps, betas, betaStart, betaEnd } = options
  if (betas === undefined) checkLinear(options)
  if (betas === undefined) return scheduleBetas(schedule ?? 'linear', numTimesteps ?? 1000, { betaStart, betaEnd })
  if (schedule !== undefined || numTimesteps !== undefined) {
    throw new TypeError('gaussianDiffusion: betas take the place of schedule and numTimesteps; give one or the other')
  }
  if (betaStart !== undefined || betaEnd !== undefined) {
    throw new TypeError('gaussianDiffusion: betaStart and betaEnd are ends of a schedule, and betas are given')
  }
  return betas
}

/** Throws where the betas of `linear`, which grow with 1000 / numTimesteps, would exceed 1. `checkSignal` refuses 1 itself. */
function checkLinear({ schedule = 'linear', numTimesteps = 1000, betaStart, betaEnd }: GaussianDiffusionOptions): void {
  const isScaled = schedule === 'linear' && betaStart === undefined && betaEnd === undefined
  if (!isScaled || !Number.isInteger(numTimesteps) || numTimesteps < 1 || numTimesteps >= 20) return
  const last = ((0.02 * 1000) / numTimesteps).toPrecision(3)
  throw new RangeError(
    `gaussianDiffusion: linear needs at least 21 timesteps; with ${numTimesteps} its last beta would be ${last}, and betas must lie in (0, 1]`,
  )
}

function checkWeight(lossWeight: LossWeight, meanType: MeanType, lossType: LossType): void {
  checkLossWeight('gaussianDiffusion', lossWeight)
  if (lossWeight === 'none') return
  if (lossType === 'kl' || lossType === 'rescaledKl') {
    throw new RangeError(`gaussianDiffusion: a loss weight is of the squared error, which loss type ${lossType} lacks`)
  }
  if (meanType === 'previousX') {
    throw new RangeError('gaussianDiffusion: there is no loss weight for previousX, only for epsilon and x0')
  }
}

/** Throws where alphaBar reaches 0: x0 = (xt - noise) / 0 there. */
function checkSignal({ alphaBar }: DiffusionTables, { schedule, numTimesteps, betas }: GaussianDiffusionOptions): void {
  const empty = alphaBar.indexOf(0)
  if (empty < 0) return
  const isLinear = betas === undefined && (schedule ?? 'linear') === 'linear'
  const what = betas === undefined ? `schedule ${schedule ?? 'linear'} of ${numTimesteps ?? 1000} timesteps` : 'betas'
  throw new RangeError(
    `gaussianDiffusion: alphaBar must stay above 0, or no x0 follows from the noise; a beta of 1 makes it 0 (at step ${empty}, ${what}); ` +
      (isLinear ? 'linear needs at least 21 timesteps' : 'predict x0, or take another schedule'),
  )
}

function checkName(option: string, name: string, known: readonly string[]): void {
  if (!known.includes(name)) {
    throw new RangeError(`gaussianDiffusion: ${option} must be one of ${known.join(', ')} (got ${name})`)
  }
}
