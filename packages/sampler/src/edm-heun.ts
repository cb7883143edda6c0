import type { Denoise } from '@dit/diffusion'
import type { NoiseLevel, Path, PathStep } from '@dit/schedules'
import { add, affine, reshape, scope, sub, type Tensor } from '@dit/tensor'
import { type NoiseSource, stepNoise } from './noise.js'
import { runPath } from './run-path.js'
import type { SamplerStep } from './sampler-step.js'
import { checkStart, type StepResult } from './step-options.js'

export interface EdmHeunOptions {
  /** Noise added over all steps: each raises its level by sChurn / number of steps, 41 % at most (default 0: none). */
  readonly sChurn?: number
  /** Levels sigma / alpha from sMin to sMax, ends included, are raised (default: all). */
  readonly sMin?: number
  readonly sMax?: number
  /** Standard deviation of the added noise; a little above 1 makes up for detail that the network smooths away (default 1). */
  readonly sNoise?: number
  /** Stops the loop between two steps: it frees what it holds and throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** The most that a level is raised: to twice its variance. */
const MOST_CHURN = Math.SQRT2 - 1

/**
 * EDM's sampler: Heun's method with noise added before each step.
 *
 *   raised = sigma (1 + gamma)                gamma = min(sChurn / numSteps, sqrt(2) - 1) for sMin <= sigma <= sMax, else 0
 *   x      = xt + sNoise sqrt(raised^2 - sigma^2) draw
 *   d      = (x - D(x, raised)) / raised
 *   next   = x + (to - raised) d              Euler's step, and the last where the path ends at 0
 *   next   = x + (to - raised) (d + d') / 2   d' = (next - D(next, to)) / to
 *
 * All of this is in xt / alpha and sigma / alpha, so that any path will do. Without churn it needs 2 numSteps - 1 evaluations
 * and no noise. `denoise` is told the step, so that guidance within an interval holds for both evaluations.
 *
 * @param path such as `edmPath({ numSteps: 18 })`; with churn it must know its levels between the steps (`atSigma`)
 * @param xT standard normal noise times `path.startScale`, `[B, C, H, W]`; not disposed of
 * @param options a seed or a noise function is needed with churn
 * @returns yields every step; `x0` is the first estimate of the step
 * @throws RangeError or TypeError at once for wrong options or a path with a level without signal; the signal's reason
 *
 * @example
 * const path = edmPath({ numSteps: 18 })
 * const xT = affine(startNoise([4, 3, 32, 32], { seed: 0 }), path.startScale)
 * const x0 = await lastStep(edmHeun(path, denoise, xT))
 *
 * Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", algorithms 1 and 2.
 */
export function edmHeun(
  path: Path,
  denoise: Denoise,
  xT: Tensor,
  options: EdmHeunOptions & Partial<NoiseSource> = {},
): AsyncGenerator<SamplerStep, void, void> {
  const { sChurn = 0, sMin = 0, sMax = Infinity, sNoise = 1, signal } = options
  checkStart('edmHeun', 'xT', xT)
  checkOptions({ sChurn, sMin, sMax, sNoise })
  checkPath(path, sChurn > 0)
  const gamma = Math.min(sChurn / path.steps.length, MOST_CHURN)
  const draw = stepNoise('edmHeun', options, sChurn > 0)
  return runPath(
    path,
    xT,
    (xt, step, index) => {
      const sigma = ratioOf(step.from)
      const noise = draw?.(index, xt.shape, xt.backend) ?? null
      const x = affine(xt, 1 / step.from.alpha)
      if (noise === null || gamma === 0 || sigma < sMin || sigma > sMax) return heunStep(denoise, x, step.from, step)
      const raised = path.atSigma!(sigma * (1 + gamma))
      const added = Math.sqrt(Math.max(0, ratioOf(raised) ** 2 - sigma ** 2))
      return heunStep(denoise, add(x, affine(noise, sNoise * added)), raised, step)
    },
    { signal },
  )
}

/** From x = xt / alpha at a level to the end of the step. */
function heunStep(denoise: Denoise, x: Tensor, from: NoiseLevel, step: PathStep): StepResult {
  const { to } = step
  const distance = ratioOf(to) - ratioOf(from)
  return scope(() => {
    const start = direction(denoise, x, from, step)
    const euler = add(x, affine(start.d, distance))
    // A handle of its own: the denoiser may have returned what it keeps.
    const x0 = reshape(start.x0, start.x0.shape)
    if (to.sigma === 0) return { xt: affine(euler, to.alpha), x0 }
    const end = direction(denoise, euler, to, step)
    const next = add(x, affine(add(start.d, end.d), distance / 2))
    return { xt: affine(next, to.alpha), x0 }
  })
}

/** d = (x - x0) / sigma, where x = xt / alpha and sigma is that of the level over its alpha. */
function direction(denoise: Denoise, x: Tensor, level: NoiseLevel, step: PathStep): { d: Tensor; x0: Tensor } {
  const { x0 } = denoise(level.alpha === 1 ? x : affine(x, level.alpha), level, step)
  return { d: affine(sub(x, x0), 1 / ratioOf(level)), x0 }
}

function ratioOf({ alpha, sigma }: NoiseLevel): number {
  return sigma / alpha
}

function checkOptions(options: Required<Omit<EdmHeunOptions, 'signal'>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value >= 0 && (name === 'sMax' || Number.isFinite(value))) continue
    throw new RangeError(`edmHeun: ${name} must be a number, 0 or more (got ${value})`)
  }
}

function checkPath(path: Path, isRaised: boolean): void {
  const empty = path.steps.findIndex(({ from, to }) => !(from.alpha > 0 && to.alpha > 0 && from.sigma > 0))
  if (empty >= 0) {
    throw new RangeError(
      `edmHeun: alpha must be above 0 everywhere, and sigma where a step begins (step ${empty} has not)`,
    )
  }
  if (isRaised && path.atSigma === undefined) {
    throw new TypeError('edmHeun: with sChurn the path must have atSigma, the levels between its steps')
  }
}
