import type { NoiseLevel, Path } from '@dit/schedules'
import {
  add,
  formatShape,
  mul,
  sameShape,
  scope,
  slice,
  square,
  stopGradient,
  sub,
  tensor,
  type Tensor,
} from '@dit/tensor'
import type { PredictAt } from '../denoiser.js'
import { meanPerSample } from '../gaussian/normal.js'
import type { Process } from '../process.js'
import { x0Factors } from './x0-factors.js'

/** What the losses of a distillation are made of. */
export interface DistillationBatch {
  /** Clean samples, `[B, C, H, W]`. */
  readonly x0: Tensor
  /** Standard normal, shape of `x0`. */
  readonly noise: Tensor
  /** `[B]`: for each sample, which step of the student it learns, 0 .. N - 1 from the noise on. */
  readonly steps: Int32Array
}

/** Losses per sample, `[B]` each. */
export interface DistillationLosses {
  /** What to minimise, after a mean. */
  readonly loss: Tensor
  /** Squared error of x0 before it was weighted. */
  readonly mse: Tensor
}

/** What of a process reads a network: `Process` has both. */
type Reading = Pick<Process, 'prediction' | 'outputsPerChannel'>

/**
 * The x0 with which one step of DDIM from z at one level lands on z2 at another.
 *
 *   x0 = (z2 - (sigma2 / sigma) z) / (alpha2 - (sigma2 / sigma) alpha)
 *
 * @param z  `[B, C, H, W]` at the levels `from`, one for each sample
 * @param z2 shape of z, at the levels `to`
 * @returns shaped like z; the caller disposes of it
 *
 * Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of Diffusion Models", algorithm 2.
 */
export function x0OfStep(z: Tensor, z2: Tensor, from: readonly NoiseLevel[], to: readonly NoiseLevel[]): Tensor {
  const ratios = from.map(({ sigma }, i) => to[i].sigma / sigma)
  const scales = from.map(({ alpha }, i) => 1 / (to[i].alpha - ratios[i] * alpha))
  return scope(() =>
    mix(
      z2,
      scales,
      z,
      scales.map((scale, i) => -scale * ratios[i]),
    ),
  )
}

/**
 * Losses per sample of one stage of progressive distillation: one step of the student should land where two DDIM steps of its teacher
 * do.
 *
 *   z = alpha x0 + sigma noise        z'' = two steps of the teacher from z
 *   target = x0OfStep(z, z'')
 *   mse    = mean over C, H, W of (estimate of x0 - target)^2
 *   loss   = max(alpha^2 / sigma^2, 1) mse
 *
 * No gradient flows through the teacher. A guided teacher is a `PredictAt` like any other; a student that is trained on it needs one
 * forward pass a step. The weight at the first level is what makes students of a prediction of the noise hard to train for one or two
 * steps: there 1 / alpha magnifies their errors.
 *
 * @param predictors `student`, differentiated, and `teacher`; both are told a timestep for each sample
 * @param path       of the teacher, 2 N steps: `distilledPath(process, { startSteps, numSteps: 2 * N })`
 * @returns the caller disposes of the tensors, or the scope of `valueAndGrad` does
 * @throws RangeError for a path of an odd number of steps, a step outside 0 .. N - 1, shapes that do not fit, and as `x0Factors`
 *
 * @example
 * valueAndGrad(params, () => ({ loss: mean(distillationLosses(process, { student, teacher }, batch, path).loss) }))
 *
 * Salimans and Ho 2022, algorithm 2 and section 4 (truncated SNR); Meng et al. 2023, "On Distillation of Guided Diffusion Models",
 * section 3 (guided teachers).
 */
export function distillationLosses(
  process: Reading,
  { student, teacher }: { readonly student: PredictAt; readonly teacher: PredictAt },
  { x0, noise, steps }: DistillationBatch,
  path: Path,
): DistillationLosses {
  checkBatch(x0, noise, steps, path)
  const firsts = Array.from(steps, (step) => path.steps[2 * step])
  const seconds = Array.from(steps, (step) => path.steps[2 * step + 1])
  const from = firsts.map((step) => step.from)
  const middle = seconds.map((step) => step.from)
  const to = seconds.map((step) => step.to)
  return scope(() => {
    const { z, target } = stopGradient(() => {
      const z = mix(x0, factorsOf(from, 'alpha'), noise, factorsOf(from, 'sigma'))
      const z1 = ddimStep(process, teacher, z, from, middle)
      const z2 = ddimStep(process, teacher, z1, middle, to)
      return { z, target: x0OfStep(z, z2, from, to) }
    })
    const mse = meanPerSample(square(sub(estimate(process, student, z, from), target))) // [B]
    const weights = from.map(({ alpha, sigma }) => Math.max((alpha / sigma) ** 2, 1))
    return { loss: mul(mse, tensor(weights, mse.shape, { backend: mse.backend, dtype: mse.dtype })), mse }
  })
}

/** One deterministic step: with x0 and the noise that it leaves in z, alpha' x0 + sigma' noise. */
function ddimStep(
  process: Reading,
  predict: PredictAt,
  z: Tensor,
  from: readonly NoiseLevel[],
  to: readonly NoiseLevel[],
): Tensor {
  const x0 = estimate(process, predict, z, from)
  const ratios = from.map(({ sigma }, i) => to[i].sigma / sigma)
  return mix(
    z,
    ratios,
    x0,
    from.map(({ alpha }, i) => to[i].alpha - ratios[i] * alpha),
  )
}

/** The estimate of x0, `[B, C, H, W]`, where every sample has its own level. */
function estimate(
  { prediction, outputsPerChannel }: Reading,
  predict: PredictAt,
  z: Tensor,
  levels: readonly NoiseLevel[],
): Tensor {
  const scales = levels.map(({ inputScale = 1 }) => inputScale)
  const shown = scales.every((scale) => scale === 1) ? z : mul(z, column(z, scales))
  const isWhole = levels.every(({ timestep }) => Number.isInteger(timestep))
  const timesteps = levels.map(({ timestep }) => timestep)
  const output = predict(shown, isWhole ? Int32Array.from(timesteps) : Float32Array.from(timesteps))
  const [, channels] = z.shape
  const expected = z.shape.with(1, outputsPerChannel * channels)
  if (!sameShape(output.shape, expected)) {
    throw new RangeError(
      `distillationLosses: the network must return ${formatShape(expected)} for xt ${formatShape(z.shape)} (got ${formatShape(output.shape)})`,
    )
  }
  const mean = outputsPerChannel === 1 ? output : slice(output, 1, 0, channels)
  const factors = levels.map((level) => x0Factors(prediction, level))
  return mix(
    z,
    factors.map(({ fromXt }) => fromXt),
    mean,
    factors.map(({ fromOutput }) => fromOutput),
  )
}

/** a x + b y, with numbers of each sample. */
function mix(x: Tensor, a: readonly number[], y: Tensor, b: readonly number[]): Tensor {
  return add(mul(x, column(x, a)), mul(y, column(y, b)))
}

function column(x: Tensor, values: readonly number[]): Tensor {
  return tensor(values, [values.length, ...x.shape.slice(1).map(() => 1)], { backend: x.backend, dtype: x.dtype })
}

function factorsOf(levels: readonly NoiseLevel[], name: 'alpha' | 'sigma'): number[] {
  return levels.map((level) => level[name])
}

function checkBatch(x0: Tensor, noise: Tensor, steps: Int32Array, path: Path): void {
  const numSteps = path.steps.length / 2
  if (!Number.isInteger(numSteps)) {
    throw new RangeError(
      `distillationLosses: the teacher's path must have an even number of steps (got ${path.steps.length})`,
    )
  }
  if (!sameShape(noise.shape, x0.shape)) {
    throw new RangeError(
      `distillationLosses: noise must have the shape of x0 (got ${formatShape(noise.shape)} and ${formatShape(x0.shape)})`,
    )
  }
  if (steps.length !== x0.shape[0]) {
    throw new RangeError(
      `distillationLosses: there must be one step per sample (got ${steps.length} for x0 ${formatShape(x0.shape)})`,
    )
  }
  const wrong = steps.find((step) => step < 0 || step >= numSteps)
  if (wrong !== undefined) {
    throw new RangeError(`distillationLosses: steps must be in 0 .. ${numSteps - 1} (got ${wrong})`)
  }
}
