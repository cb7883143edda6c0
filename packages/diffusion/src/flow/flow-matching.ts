import {
  checkTimeLaw,
  type Flow,
  flow,
  type FlowInterval,
  flowInterval,
  type FlowOptions,
  type TimeLaw,
} from '@dit/schedules'
import { type FlowWeighting, WEIGHTINGS } from './flow-weight.js'

/** What a network of a flow predicts: see `Prediction`. */
export type FlowPredictionType = 'velocity' | 'x0' | 'epsilon' | 'score'

/** A flow and how a network takes part in it: plain data. */
export interface FlowMatching {
  readonly family: 'flow'
  readonly flow: Flow
  readonly prediction: FlowPredictionType
  readonly weighting: FlowWeighting
  /** Least sigma that the weighting of an x0 prediction divides by. */
  readonly sigmaFloor: number
  /** How training times are drawn, in `interval`. */
  readonly times: TimeLaw
  readonly interval: FlowInterval
  /** 2 where the network has as many more channels, which play no part. */
  readonly outputsPerChannel: 1 | 2
}

export interface FlowMatchingOptions extends FlowOptions {
  /** Default `velocity`. */
  readonly prediction?: FlowPredictionType
  /** Default `none`. */
  readonly weighting?: FlowWeighting
  /** Default 0; JiT uses 0.05. */
  readonly sigmaFloor?: number
  /** Default uniform. */
  readonly times?: TimeLaw
  /** Default: that of `flowInterval` for training, away from the ends where the loss is infinite there. */
  readonly interval?: FlowInterval
  /** Default 1; 2 for a network with variance channels, as published SiTs have. */
  readonly outputsPerChannel?: 1 | 2
}

const PREDICTIONS: readonly FlowPredictionType[] = ['velocity', 'x0', 'epsilon', 'score']

/**
 * Flow matching: the second family beside `gaussianDiffusion`. Pictures are mixed with noise at a continuous time, and a network
 * learns the velocity, or what a velocity can be made of.
 *
 *   xt = alpha(t) x0 + sigma(t) noise        velocity = dAlpha x0 + dSigma noise        t = 0 is data, 1 is noise
 *
 * @throws RangeError for an unknown name or a value out of range
 *
 * @example
 * flowMatching() // rectified flow: linear, velocity, uniform times
 * flowMatching({ networkTime: 'towardsData', outputsPerChannel: 2 }) // SiT
 * flowMatching({ networkTime: 'towardsData', times: { law: 'logitNormal' } }) // LightningDiT
 * flowMatching({ networkTime: 'towardsData', prediction: 'x0', weighting: 'velocity', sigmaFloor: 0.05,
 *   times: { law: 'logitNormal', mean: 0.8, std: 0.8 } }) // JiT
 *
 * Lipman et al. 2023, "Flow Matching for Generative Modeling"; Ma et al. 2024, "SiT".
 */
export function flowMatching({
  prediction = 'velocity',
  weighting = 'none',
  sigmaFloor = 0,
  times = { law: 'uniform' },
  interval,
  outputsPerChannel = 1,
  ...flowOptions
}: FlowMatchingOptions = {}): FlowMatching {
  const settings = flow(flowOptions)
  checkName('prediction', prediction, PREDICTIONS)
  checkName('weighting', weighting, WEIGHTINGS)
  checkTimeLaw(times)
  if (outputsPerChannel !== 1 && outputsPerChannel !== 2) {
    throw new RangeError(`flowMatching: outputsPerChannel must be 1 or 2 (got ${String(outputsPerChannel)})`)
  }
  if (!(sigmaFloor >= 0 && sigmaFloor <= 1)) {
    throw new RangeError(`flowMatching: sigmaFloor must be in [0, 1] (got ${sigmaFloor})`)
  }
  const { interpolant } = settings
  // Weighted by 1 / sigma^2, the loss of a velocity is as infinite at the ends as that of another prediction.
  const isFinite = weighting !== 'likelihood' && weighting !== 'inverseSigma2'
  const asHard = isFinite ? prediction : 'epsilon'
  const { min, max } = interval ?? flowInterval({ interpolant, prediction: asHard, use: 'training' })
  if (!(min >= 0 && max <= 1 && min < max)) {
    throw new RangeError(`flowMatching: the interval must lie in [0, 1] (got ${min} to ${max})`)
  }
  return {
    family: 'flow',
    flow: settings,
    prediction,
    weighting,
    sigmaFloor,
    times,
    interval: { min, max },
    outputsPerChannel,
  }
}

function checkName(option: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return
  throw new RangeError(`flowMatching: ${option} must be one of ${known.join(', ')} (got ${name})`)
}
