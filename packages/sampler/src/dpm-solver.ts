import type { Predict } from '@dit/diffusion'
import type { SigmaSteps } from '@dit/schedules'
import { add, affine, clamp, keep, reshape, scope, sub, type Tensor } from '@dit/tensor'
import { checkPredictionType, type PredictionType, readPrediction, type SignalAndNoise } from './predicted-x0.js'
import { runSteps, type SamplerStep } from './run-steps.js'
import { checkStart } from './step-options.js'

export interface DpmSolverOptions {
  /** What the model returns; `epsilon` by default. Variance channels play no part. */
  readonly predictionType?: PredictionType
  /** 2 (by default) looks back one step; 1 is DDIM in these terms. */
  readonly order?: 1 | 2
  /** Whether the last of fewer than 15 steps is of order 1, which is more stable; true by default. */
  readonly lowerOrderFinal?: boolean
  /** Whether the last step is always of order 1; false by default. It is so in any case where it leads to no noise. */
  readonly eulerAtFinal?: boolean
  /** The estimate of x0 is clamped to -clipRange .. clipRange; not at all by default, which suits latents. */
  readonly clipRange?: number
  /** Stops the loop between two steps: it frees what it holds and throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** Below this count of steps the last one is of order 1. Lu et al. 2022, appendix on stability; as in their code. */
const FEW_STEPS = 15

/**
 * DPM-Solver++ (2M) from noise to x0: a solver of second order that needs one call of the model a step. With alpha and sigma
 * the factors of signal and noise, lambda = log(alpha / sigma), and h = lambda[i + 1] - lambda[i]:
 *
 *   D        = x0[i] + (x0[i] - x0[i - 1]) / (2 r),  r = (lambda[i] - lambda[i - 1]) / h
 *   xt[i+1]  = sigma[i + 1] / sigma[i] xt[i] - alpha[i + 1] (e^-h - 1) D
 *
 * where x0[i] is the model's estimate. The first step, and the last where the options say so, take D = x0[i].
 *
 * @param steps    from `dpmSteps` of @dit/schedules
 * @param predict  any model; it is told `steps.timesteps`
 * @param xT       pure noise, `[B, C, H, W]`; not disposed of
 * @returns yields every step; see `SamplerStep` for who owns what
 * @throws RangeError or TypeError at once for wrong options; the signal's reason when stopped
 *
 * @example
 * const steps = dpmSteps({ alphaBar: gaussianDiffusion().tables.alphaBar, numSteps: 20, spacing: 'linspace' })
 * const x0 = await lastStep(dpmSolver(steps, predict, xT))
 *
 * Lu et al. 2022, "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models", algorithm 2.
 */
export function dpmSolver(
  steps: SigmaSteps,
  predict: Predict,
  xT: Tensor,
  options: DpmSolverOptions = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { predictionType = 'epsilon', order = 2, clipRange = Infinity } = options
  checkStart('dpmSolver', 'xT', xT)
  checkPredictionType('dpmSolver', predictionType)
  checkSteps(steps)
  if (order !== 1 && order !== 2) throw new RangeError(`dpmSolver: order must be 1 or 2 (got ${order as number})`)
  if (!(clipRange > 0)) throw new RangeError(`dpmSolver: clipRange must be positive (got ${clipRange})`)
  return solve(steps, predict, xT, options)
}

async function* solve(
  steps: SigmaSteps,
  predict: Predict,
  xT: Tensor,
  options: DpmSolverOptions,
): AsyncGenerator<SamplerStep, void, void> {
  const { predictionType = 'epsilon', clipRange = Infinity, signal } = options
  const { sigmas } = steps
  const numTimesteps = steps.timesteps.length
  const timestepMap = steps.timesteps.toReversed()
  let before: Tensor | null = null
  try {
    yield* runSteps(
      { numTimesteps, timestepMap },
      xT,
      'down',
      (xt, _, index) => {
        const [from, to] = [factorsOf(sigmas[index]), factorsOf(sigmas[index + 1])]
        const told = new Int32Array(xt.shape[0]).fill(steps.timesteps[index])
        const estimate = readPrediction('dpmSolver', predict(xt, told), xt, predictionType, from).x0
        const x0 = clipRange < Infinity ? clamp(estimate, -clipRange, clipRange) : estimate
        const isSecond = before !== null && !isFirstOrder(steps, index, options)
        const D = isSecond ? ahead(x0, before!, sigmas, index) : x0
        before?.dispose()
        before = keep(reshape(x0, x0.shape))
        // e^-h - 1 = sigma[i + 1] / sigma[i] - 1 in terms of sigma / alpha
        const step = to.alpha * (sigmas[index + 1] / sigmas[index] - 1)
        return { xt: sub(affine(xt, to.sigma / from.sigma), affine(D, step)), x0 }
      },
      signal,
    )
  } finally {
    ;(before as Tensor | null)?.dispose()
  }
}

function isFirstOrder({ sigmas, timesteps }: SigmaSteps, index: number, options: DpmSolverOptions): boolean {
  const { order = 2, lowerOrderFinal = true, eulerAtFinal = false } = options
  const isLast = index === timesteps.length - 1
  const isPlain = eulerAtFinal || (lowerOrderFinal && timesteps.length < FEW_STEPS) || sigmas[index + 1] === 0
  return order === 1 || (isLast && isPlain)
}

/** x0 carried half a step ahead by its last change. */
function ahead(x0: Tensor, before: Tensor, sigmas: Float64Array, index: number): Tensor {
  const h = Math.log(sigmas[index] / sigmas[index + 1])
  const r = Math.log(sigmas[index - 1] / sigmas[index]) / h
  return scope(() => add(affine(x0, 1 + 0.5 / r), affine(before, -0.5 / r)))
}

/** From sigma / alpha. */
function factorsOf(ratio: number): SignalAndNoise {
  const alpha = 1 / Math.sqrt(ratio * ratio + 1)
  return { alpha, sigma: ratio * alpha }
}

function checkSteps({ sigmas, timesteps }: SigmaSteps): void {
  // The last step may lead nowhere: the smallest sigma of Karras's spacing is that of timestep 0.
  const falls = sigmas.every(
    (sigma, i) => i === 0 || sigma < sigmas[i - 1] || (i === timesteps.length && sigma === sigmas[i - 1]),
  )
  if (sigmas.length !== timesteps.length + 1 || timesteps.length === 0 || !falls || !(sigmas.at(-1)! >= 0)) {
    throw new RangeError(
      `dpmSolver: steps must have one more sigma than timesteps, falling to 0 or above (got ${sigmas.length} and ${timesteps.length})`,
    )
  }
}
