import { flowLevel, type NoiseLevel } from '@dit/schedules'
import {
  add,
  affine,
  formatShape,
  isFloat,
  mul,
  sameShape,
  scope,
  slice,
  square,
  sub,
  tensor,
  type Tensor,
} from '@dit/tensor'
import type { PredictAt } from '../denoiser.js'
import { meanPerSample } from '../gaussian/normal.js'
import type { FlowMatching } from './flow-matching.js'
import { flowWeight } from './flow-weight.js'

/** What a training step of a flow starts from. */
export interface FlowBatch {
  /** Clean samples, `[B, C, H, W]`. */
  readonly x0: Tensor
  /** `[B]`, in [0, 1]: 0 is data and 1 is noise, whatever the network's own time. */
  readonly times: ArrayLike<number>
  /** Standard normal, shape of `x0`. */
  readonly noise: Tensor
}

/** Losses per sample, `[B]` each. */
export interface FlowLosses {
  /** What to minimise, after `mean(loss)` or a weighted mean. */
  readonly loss: Tensor
  /** Squared error before it was weighted; shares the loss's memory where there is no weighting. */
  readonly mse: Tensor
}

/**
 * Training losses per sample of a flow, differentiable through `predict`.
 *
 *   velocity   mean over C, H, W of (output - velocity)^2        velocity = dAlpha x0 + dSigma noise, in the network's direction
 *   x0         of (output - x0)^2
 *   epsilon    of (output - noise)^2
 *   score      of (sigma output + noise)^2
 *   loss       that times `flowWeight`
 *
 * @param predict is told the network's own times, float32; called in a scope
 * @returns the caller disposes of the tensors, or the scope of `valueAndGrad` does
 * @throws RangeError when a shape does not fit, a time is outside [0, 1] or a factor at it is infinite
 *
 * @example
 * valueAndGrad(params, () => ({ loss: mean(flowLosses(flowMatching(), predict, { x0, times, noise }).loss) }))
 *
 * Lipman et al. 2023, eq. 9; Ma et al. 2024, "SiT", eq. 5 and 6.
 */
export function flowLosses(process: FlowMatching, predict: PredictAt, { x0, times, noise }: FlowBatch): FlowLosses {
  checkBatch(x0, times, noise)
  const levels = Array.from(times, (t) => flowLevel(t, process.flow))
  const weights = levels.map((level) => checkedWeight(level, process))
  return scope(() => {
    const xt = mixAt(levels, x0, noise)
    const output = withoutRest(
      predict(
        xt,
        Float32Array.from(levels, ({ timestep }) => timestep),
      ),
      xt,
      process,
    )
    const mse = meanPerSample(square(residual(process, levels, output, x0, noise))) // [B]
    if (process.weighting === 'none') return { loss: affine(mse, 1), mse }
    return { loss: mul(mse, tensor(weights, mse.shape, { backend: mse.backend, dtype: mse.dtype })), mse }
  })
}

/**
 * Noised samples at a time each.
 *
 *   xt = alpha(t) x0 + sigma(t) noise
 *
 * @returns shaped like x0; the caller disposes of it
 * @throws RangeError when a shape does not fit or a time is outside [0, 1]
 */
export function addFlowNoise({ flow }: Pick<FlowMatching, 'flow'>, { x0, times, noise }: FlowBatch): Tensor {
  checkBatch(x0, times, noise)
  const levels = Array.from(times, (t) => flowLevel(t, flow))
  return scope(() => mixAt(levels, x0, noise))
}

/** What is squared: 0 where the network is right. */
function residual(
  { prediction }: FlowMatching,
  levels: readonly NoiseLevel[],
  output: Tensor,
  x0: Tensor,
  noise: Tensor,
): Tensor {
  if (prediction === 'x0') return sub(output, x0)
  if (prediction === 'epsilon') return sub(output, noise)
  if (prediction === 'score') return add(mul(factor(levels, 'sigma', x0), output), noise)
  // A velocity against our time is compared with its opposite.
  const towards = levels.map(({ dAlpha, dSigma, velocityScale = 1, ...rest }) => {
    return { ...rest, dAlpha: velocityScale * dAlpha!, dSigma: velocityScale * dSigma! }
  })
  const velocity = add(mul(factor(towards, 'dAlpha', x0), x0), mul(factor(towards, 'dSigma', x0), noise))
  return sub(output, velocity)
}

function mixAt(levels: readonly NoiseLevel[], x0: Tensor, noise: Tensor): Tensor {
  return add(mul(factor(levels, 'alpha', x0), x0), mul(factor(levels, 'sigma', x0), noise))
}

/** A factor of each sample's level, `[B, 1, ...]`. */
function factor(levels: readonly NoiseLevel[], name: 'alpha' | 'sigma' | 'dAlpha' | 'dSigma', x: Tensor): Tensor {
  const values = Float64Array.from(levels, (level) => level[name]!)
  return tensor(values, [values.length, ...x.shape.slice(1).map(() => 1)], { backend: x.backend, dtype: x.dtype })
}

function checkedWeight(level: NoiseLevel, process: FlowMatching): number {
  const weight = flowWeight(level, process)
  const isFinite = Number.isFinite(weight) && (process.prediction !== 'velocity' || Number.isFinite(level.dSigma))
  if (isFinite) return weight
  throw new RangeError(
    `flowLosses: the loss of ${process.prediction} with weighting ${process.weighting} is infinite at t = ${level.t}; draw times as flowInterval says`,
  )
}

function withoutRest(output: Tensor, xt: Tensor, { outputsPerChannel }: FlowMatching): Tensor {
  const channels = xt.shape[1]
  const expected = xt.shape.with(1, outputsPerChannel * channels)
  if (!sameShape(output.shape, expected)) {
    throw new RangeError(
      `flowLosses: the network must return ${formatShape(expected)} for xt ${formatShape(xt.shape)} (got ${formatShape(output.shape)})`,
    )
  }
  return outputsPerChannel === 1 ? output : slice(output, 1, 0, channels)
}

function checkBatch(x0: Tensor, times: ArrayLike<number>, noise: Tensor): void {
  if (x0.shape.length < 2) throw new RangeError(`flowLosses: x0 must be [B, C, ...] (got ${formatShape(x0.shape)})`)
  if (!isFloat(x0.dtype)) throw new TypeError(`flowLosses: x0 must be a float tensor (got ${x0.dtype})`)
  if (!sameShape(noise.shape, x0.shape)) {
    throw new RangeError(
      `flowLosses: noise must have the shape of x0 (got ${formatShape(noise.shape)} and ${formatShape(x0.shape)})`,
    )
  }
  if (times.length !== x0.shape[0]) {
    throw new RangeError(
      `flowLosses: there must be one time per sample (got ${times.length} for x0 ${formatShape(x0.shape)})`,
    )
  }
  for (let i = 0; i < times.length; i++) {
    if (!(times[i] >= 0 && times[i] <= 1)) {
      throw new RangeError(`flowLosses: times must lie in [0, 1] (times[${i}] is ${times[i]})`)
    }
  }
}
