import type { NoiseLevel, PathStep } from '@dit/schedules'
import { add, affine, clamp, formatShape, sameShape, scope, slice, sub, type Tensor } from '@dit/tensor'

/**
 * What a network's output stands for:
 *
 *   epsilon    the noise
 *   x0         the clean picture
 *   previousX  read as the noise, as in the reference implementation
 *   v          (alpha noise - sigma x0) / sqrt(alpha^2 + sigma^2)      (Salimans & Ho 2022, where the root is 1)
 *   velocity   dAlpha x0 + dSigma noise             along the path's time
 *   score      -noise / sigma                       gradient of the log density
 */
export type Prediction = 'epsilon' | 'x0' | 'previousX' | 'v' | 'velocity' | 'score'

/** A network, or a guided one: noisy pictures `[B, C, H, W]` and what it is told of their level, `[B]`. */
export type PredictAt = (xt: Tensor, timesteps: Int32Array | Float32Array) => Tensor

/** Estimates of the two parts of xt, `[B, C, H, W]` each. */
export interface Denoised {
  readonly x0: Tensor
  readonly noise: Tensor
  /** dxt/dt, where the network predicts it and x0 was not changed: exact also where a level's derivatives are infinite. */
  readonly velocity?: Tensor
  /** Gradient of the log density, likewise. */
  readonly score?: Tensor
  /** The channels for the variance, as the network returned them, where `outputsPerChannel` is 2. */
  readonly variance?: Tensor
}

/** What the network is asked about. */
export interface Noised {
  readonly xt: Tensor
  readonly level: NoiseLevel
}

/**
 * Splits xt into estimates of its parts: all that a solver knows of a network. Called in a scope; the results live in it.
 * A solver that evaluates more than once within a step says which step, for wrappers that decide once for all of it.
 *
 * @param seen what the network is shown instead (default: xt at its level). Its answer is still read as one about xt: diffusers
 *   raises the noise of Euler's method only after it has asked the network.
 */
export type Denoise = (xt: Tensor, level: NoiseLevel, step?: PathStep, seen?: Noised) => Denoised

export interface DenoiserOptions {
  readonly prediction: Prediction
  /** 2 where channels for the variance follow (default 1). */
  readonly outputsPerChannel?: 1 | 2
  /**
   * Factors that make an estimate of x0 of the output, skip xt + out output, which is then read as `x0`. Karras et al. 2022, eq. 7;
   * their cIn and cNoise are the level's `inputScale` and `timestep`.
   */
  readonly precondition?: (level: NoiseLevel) => { readonly skip: number; readonly out: number }
  /** The estimate of x0 is clamped to -clipRange .. clipRange (default: not at all, which suits latents). */
  readonly clipRange?: number
  /** Changes the estimate of x0 before it is clamped, as dynamic thresholding or a user's filter does. */
  readonly denoise?: (x0: Tensor, level: NoiseLevel) => Tensor
  /**
   * What the noise is where x0 was changed: `clippedX0` (default) is the noise that leads from the changed x0 to xt, as in the
   * reference's DDIM; `prediction` is the network's own, as in diffusers.
   */
  readonly noiseFrom?: 'clippedX0' | 'prediction'
  /**
   * Classifier guidance: the gradient of log p(y | xt) by xt, shaped like `xt`, already times its scale. It is told what the network is
   * told, and corrects both estimates after any clipping:
   *
   *   noise -= sigma gradient        x0 += sigma^2 / alpha gradient
   *
   * Dhariwal and Nichol 2021, "Diffusion Models Beat GANs on Image Synthesis", algorithm 2.
   */
  readonly conditionGradient?: PredictAt
}

const PREDICTIONS: readonly Prediction[] = ['epsilon', 'x0', 'previousX', 'v', 'velocity', 'score']

/**
 * The reader of a network's output: whatever it predicts becomes estimates of x0 and of the noise.
 *
 * @throws RangeError for an unknown prediction or `noiseFrom`, outputs per channel that are not 1 or 2, or a clip range that is not
 *   positive; when called, for an output that does not have the shape of xt (or twice its channels) or a gradient that does not, and
 *   for `velocity` at a level without derivatives, or for noise, a score or a condition where alpha is 0
 *
 * @example
 * const denoise = denoiser(predict, { prediction: 'epsilon', outputsPerChannel: 2, clipRange: 1 })
 */
export function denoiser(predict: PredictAt, options: DenoiserOptions): Denoise {
  const { prediction, outputsPerChannel = 1, clipRange = Infinity, denoise, noiseFrom = 'clippedX0' } = options
  const { precondition, conditionGradient } = options
  if (!PREDICTIONS.includes(prediction)) {
    throw new RangeError(`denoiser: prediction must be one of ${PREDICTIONS.join(', ')} (got ${prediction})`)
  }
  if (noiseFrom !== 'clippedX0' && noiseFrom !== 'prediction') {
    throw new RangeError(`denoiser: noiseFrom must be clippedX0 or prediction (got ${String(noiseFrom)})`)
  }
  if (outputsPerChannel !== 1 && outputsPerChannel !== 2) {
    throw new RangeError(`denoiser: outputsPerChannel must be 1 or 2 (got ${String(outputsPerChannel)})`)
  }
  if (!(clipRange > 0)) throw new RangeError(`denoiser: clipRange must be positive (got ${clipRange})`)
  return (xt, level, _step, seen = { xt, level }) => {
    const { inputScale = 1, timestep } = seen.level
    const Timesteps = Number.isInteger(timestep) ? Int32Array : Float32Array
    const shown = inputScale === 1 ? seen.xt : affine(seen.xt, inputScale)
    const told = new Timesteps(xt.shape[0]).fill(timestep)
    const output = predict(shown, told)
    checkOutput(output, xt, outputsPerChannel)
    const channels = xt.shape[1]
    const mean = outputsPerChannel === 1 ? output : scope(() => slice(output, 1, 0, channels))
    const variance = outputsPerChannel === 1 ? {} : { variance: scope(() => slice(output, 1, channels, channels)) }
    const read = precondition
      ? readPrediction('x0', preconditioned(mean, xt, precondition(level)), xt, level)
      : readPrediction(prediction, mean, xt, level)
    const clipped = denoise === undefined && clipRange === Infinity ? read : clip(read, xt, level)
    if (conditionGradient === undefined) return { ...clipped, ...variance }
    const gradient = conditionGradient(xt, told)
    checkGradient(gradient, xt)
    return { ...conditioned(clipped, gradient, level), ...variance }
  }

  function clip(read: Denoised, xt: Tensor, level: NoiseLevel): Denoised {
    let x0 = denoise === undefined ? read.x0 : denoise(read.x0, level)
    if (clipRange < Infinity) x0 = clamp(x0, -clipRange, clipRange)
    return { x0, noise: noiseFrom === 'prediction' ? read.noise : noiseOf(x0, xt, level) }
  }
}

/** Throws unless a gradient of log p(y | xt) has the shape of xt. */
function checkGradient(gradient: Tensor, xt: Tensor): void {
  if (sameShape(gradient.shape, xt.shape)) return
  throw new RangeError(
    `denoiser: conditionGradient must return the shape of xt (got ${formatShape(gradient.shape)} and ${formatShape(xt.shape)})`,
  )
}

/** Estimates corrected by a gradient of log p(y | xt). */
function conditioned({ x0, noise }: Denoised, gradient: Tensor, level: NoiseLevel): Denoised {
  const { alpha, sigma } = level
  checkSignal(level, 'condition')
  return { x0: mix(x0, 1, gradient, (sigma * sigma) / alpha), noise: mix(noise, 1, gradient, -sigma) }
}

/**
 * Estimates of x0 and of the noise from an output without variance channels.
 *
 * With n = alpha^2 + sigma^2 and d = sigma dAlpha - alpha dSigma, and a velocity as out times the level's velocityScale:
 *
 *   epsilon    x0 = (xt - sigma out) / alpha            noise = out
 *   x0         x0 = out                                 noise = (xt - alpha out) / sigma
 *   v          x0 = (alpha xt - sigma sqrt(n) out) / n  noise = (sigma xt + alpha sqrt(n) out) / n
 *   velocity   x0 = (sigma out - dSigma xt) / d         noise = (dAlpha xt - alpha out) / d
 *   score      x0 = (xt + sigma^2 out) / alpha          noise = -sigma out
 *
 * @returns made in the scope of the caller
 * @throws RangeError for a velocity at a level without derivatives, and for a noise or a score where alpha is 0
 */
export function readPrediction(prediction: Prediction, output: Tensor, xt: Tensor, level: NoiseLevel): Denoised {
  const { alpha, sigma } = level
  switch (prediction) {
    case 'x0':
      return { x0: output, noise: noiseOf(output, xt, level) }
    case 'v': {
      const n = alpha * alpha + sigma * sigma
      const root = Math.sqrt(n)
      return { x0: mix(xt, alpha / n, output, -sigma / root), noise: mix(xt, sigma / n, output, alpha / root) }
    }
    case 'velocity': {
      const { dAlpha, dSigma, velocityScale = 1 } = level
      if (dAlpha === undefined || dSigma === undefined) {
        throw new RangeError('denoiser: a velocity needs dAlpha and dSigma of the level, which this path does not have')
      }
      const velocity = velocityScale === 1 ? output : affine(output, velocityScale)
      const d = sigma * dAlpha - alpha * dSigma
      // In the limit of an infinite dSigma, which vp has at the data, xt is x0.
      const [x0FromXt, x0FromV] = Number.isFinite(dSigma) ? [-dSigma / d, sigma / d] : [1 / alpha, 0]
      const x0 = mix(velocity, x0FromV, xt, x0FromXt)
      return { x0, noise: mix(xt, dAlpha / d, velocity, -alpha / d), velocity }
    }
    case 'score':
      checkSignal(level, 'score')
      return { x0: mix(xt, 1 / alpha, output, (sigma * sigma) / alpha), noise: affine(output, -sigma), score: output }
    default:
      checkSignal(level, 'noise')
      return { x0: mix(xt, 1 / alpha, output, -sigma / alpha), noise: output }
  }
}

function checkSignal({ alpha, timestep }: NoiseLevel, prediction: string): void {
  if (alpha !== 0) return
  throw new RangeError(
    `denoiser: where alpha is 0 a ${prediction} says nothing of x0 (at timestep ${timestep}); start at a level with some signal`,
  )
}

/** The noise that leads from x0 to xt: (xt - alpha x0) / sigma; 0 where there is none. */
function noiseOf(x0: Tensor, xt: Tensor, { alpha, sigma }: NoiseLevel): Tensor {
  return sigma === 0 ? affine(xt, 0) : mix(xt, 1 / sigma, x0, -alpha / sigma)
}

/** a x + b y */
function mix(x: Tensor, a: number, y: Tensor, b: number): Tensor {
  if (a === 1 && b === -1) return sub(x, y)
  return add(affine(x, a), affine(y, b))
}

function preconditioned(output: Tensor, xt: Tensor, { skip, out }: { skip: number; out: number }): Tensor {
  return mix(xt, skip, output, out)
}

function checkOutput(output: Tensor, xt: Tensor, outputsPerChannel: 1 | 2): void {
  const expected = xt.shape.with(1, outputsPerChannel * xt.shape[1])
  if (sameShape(output.shape, expected)) return
  throw new RangeError(
    `denoiser: the network must return ${formatShape(expected)} for xt ${formatShape(xt.shape)} (got ${formatShape(output.shape)})`,
  )
}
