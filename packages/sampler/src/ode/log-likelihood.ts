import { type Denoise, velocityOf } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import {
  add,
  affine,
  type Backend,
  dispose,
  formatShape,
  full,
  less,
  mul,
  randomStream,
  randomUniform,
  sameShape,
  scope,
  type Shape,
  sizeOf,
  square,
  sum,
  type Tensor,
  valueAndGrad,
  zeros,
} from '@dit/tensor'
import { checkStart } from '../step-options.js'
import { type AdaptiveOptions, adaptiveSteps } from './adaptive-steps.js'
import { checkAdaptive } from './dormand-prince.js'
import { fixedSteps } from './fixed-steps.js'
import type { RungeKuttaOptions } from './runge-kutta.js'
import { handle, type OdeStep, type Slope, timedSteps } from './slope.js'
import { tableauOf } from './tableau.js'

/** Draws of -1 or 1 for the evaluation of the network with this number, from 0. A tensor made inside is freed for you. */
export type SignDraws = (evaluation: number, shape: Shape, backend: Backend) => Tensor

export type LogLikelihoodOptions = {
  /** Fixed steps along the path, where it names a method; else the adaptive solver (default). */
  readonly solver?: Required<Pick<RungeKuttaOptions, 'method'>> | Omit<AdaptiveOptions, 'signal'>
  readonly signal?: AbortSignal
} & (
  | {
      /** Evaluation i uses `randomStream(seed, 'sampler', 'signs', i)`. */
      readonly seed: number
      /** Number of the first sample of this batch among all that are measured with this seed. */
      readonly firstSample?: number
      readonly signs?: undefined
    }
  | { readonly signs: SignDraws; readonly seed?: undefined; readonly firstSample?: undefined }
)

/** In nats; `[B]` each. The caller disposes of the tensors. */
export interface LogLikelihood {
  readonly logLikelihood: Tensor
  /** log N(z; 0, I) */
  readonly prior: Tensor
  /** Where the ODE leads from x0, `[B, C, H, W]`. */
  readonly z: Tensor
}

/**
 * Log likelihood of samples under the probability-flow ODE, by the instantaneous change of variables.
 *
 *   log p(x0) = log N(z; 0, I) + integral of div velocity dt          along the path from x0 to z
 *   div       = mean of signs . d(signs . velocity) / dxt              Hutchinson's estimate, with new signs at every evaluation
 *
 * It is an estimate with noise of its own; average over seeds. In bits a dimension it is -log p / (C H W log 2), plus what the
 * scale of the data adds.
 *
 * @param path    from data to noise, such as `flowPath({ numSteps, from: 0, to: 1 })`
 * @param denoise from `denoiser`, of a network that can be differentiated by xt
 * @param x0      `[B, C, H, W]`; not disposed of
 * @throws RangeError or TypeError for wrong options or a path in the other direction; the signal's reason when stopped
 *
 * @example
 * const path = flowPath({ networkTime: 'towardsData', numSteps: 1, from: 0, to: 1 })
 * const { logLikelihood: nats } = await logLikelihood(path, denoiser(predict, { prediction: 'velocity' }), x0, { seed: 0 })
 *
 * Chen et al. 2018, "Neural Ordinary Differential Equations", theorem 1; Grathwohl et al. 2019, "FFJORD", eq. 7; Song et al.
 * 2021, section 4.3.
 */
export async function logLikelihood(
  path: Path,
  denoise: Denoise,
  x0: Tensor,
  { solver = {}, signal, ...draws }: LogLikelihoodOptions,
): Promise<LogLikelihood> {
  checkStart('logLikelihood', 'x0', x0)
  const steps = timedSteps('logLikelihood', path, false)
  for (const { from, to } of steps) {
    if (to.t > from.t) continue
    throw new RangeError(`logLikelihood: the path must run from data to noise (got ${from.t} to ${to.t})`)
  }
  const slope = slopeWithDivergence(denoise, signSource(draws))
  const nothing = zeros([x0.shape[0]], { backend: x0.backend, dtype: x0.dtype })
  let last: OdeStep | null = null
  try {
    for await (const step of solve(path, slope, [x0, nothing], solver, signal)) last = step
    const [z, integral] = last!.state
    return scope(() => {
      const prior = normalLogDensity(z)
      return { logLikelihood: add(prior, integral), prior, z: handle(z) }
    })
  } finally {
    dispose([nothing, last])
  }
}

function solve(
  path: Path,
  slope: Slope,
  start: readonly Tensor[],
  solver: NonNullable<LogLikelihoodOptions['solver']>,
  signal: AbortSignal | undefined,
): AsyncGenerator<OdeStep, void, void> {
  if ('method' in solver) {
    return fixedSteps('logLikelihood', path, slope, start, tableauOf('logLikelihood', solver.method), signal)
  }
  const options: AdaptiveOptions = { ...solver, signal }
  checkAdaptive('logLikelihood', options)
  return adaptiveSteps('logLikelihood', path, slope, start, options)
}

/** Velocity of xt, and the estimate of its divergence by a product of a vector with the Jacobian. */
function slopeWithDivergence(denoise: Denoise, signs: SignDraws): Slope {
  let evaluation = 0
  return ([start], level, step) => {
    const e = signs(evaluation++, start.shape, start.backend)
    if (!sameShape(e.shape, start.shape)) {
      throw new RangeError(
        `logLikelihood: signs must have the shape of x0 (got ${formatShape(e.shape)} and ${formatShape(start.shape)})`,
      )
    }
    const { loss, aux, gradients } = valueAndGrad({ xt: start }, ({ xt }) => {
      const parts = denoise(xt, level, step)
      const velocity = velocityOf(parts, xt, level)
      return { loss: sum(mul(velocity, e)), velocity: handle(velocity), x0: handle(parts.x0) }
    })
    loss.dispose()
    const divergence = perSampleSum(mul(gradients.xt, e)) // [B]
    return { slopes: [aux.velocity, divergence], x0: aux.x0 }
  }
}

function signSource({
  seed,
  firstSample = 0,
  signs,
}: Partial<Pick<LogLikelihoodOptions, 'seed' | 'firstSample' | 'signs'>>): SignDraws {
  if (seed !== undefined && signs !== undefined) {
    throw new TypeError('logLikelihood: give either a seed or a function for the signs (got both)')
  }
  if (signs !== undefined) return signs
  if (seed === undefined) {
    throw new TypeError('logLikelihood: a seed or a function for the signs is needed (got neither)')
  }
  randomStream(seed) // throws for a seed out of range
  if (!Number.isSafeInteger(firstSample) || firstSample < 0) {
    throw new RangeError(`logLikelihood: firstSample must be a non-negative integer (got ${firstSample})`)
  }
  return (evaluation, shape, backend) => {
    const start = firstSample * sizeOf(shape.slice(1))
    const u = randomUniform(shape, randomStream(seed, 'sampler', 'signs', evaluation), { start, backend })
    return affine(less(u, full([], 0.5, { backend })), -2, 1)
  }
}

/** -(n / 2) log(2 pi) - sum of z^2 / 2 */
function normalLogDensity(z: Tensor): Tensor {
  const n = sizeOf(z.shape.slice(1))
  return affine(perSampleSum(square(z)), -0.5, (-n / 2) * Math.log(2 * Math.PI))
}

function perSampleSum(x: Tensor): Tensor {
  return scope(() =>
    sum(
      x,
      x.shape.slice(1).map((_, i) => i + 1),
    ),
  )
}
