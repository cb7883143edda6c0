import { gaussianDiffusion, gaussianOptions, isFlow, type PredictAt, type ProcessSpec } from '@dit/diffusion'
import type { ParameterSource } from '@dit/model'
import { autoguidedPredict, guided, type GuidanceRange, type LabelledModel } from '@dit/sampler'
import { flowLevel, sigmaAt, sigmaTable, timestepToT } from '@dit/schedules'
import type { Params } from '@dit/tensor'
import type { SampledNetwork } from '../network.js'

/** A network with its weights on an engine. */
export interface LoadedNetwork {
  readonly network: SampledNetwork
  readonly params: Params | ParameterSource
}

/** How the network is led; checked. */
export interface Guidance {
  /** Scale of guidance; 1 is none. */
  readonly scale: number
  /** The label that stands for no class; null where there is none. */
  readonly nullClass: number | null
  /** Channels that are guided. */
  readonly channels: number | 'all'
  /** How much of the contrast of the conditional output guided channels get back, 0 to 1. */
  readonly rescale?: number
  /** Guidance where sigma / alpha lies in this range only; everywhere by default. */
  readonly interval?: GuidanceRange
  /** A weaker model of the same process that the scale leads away from, in place of no class. */
  readonly guide?: LoadedNetwork
}

/** The network of some classes, guided as the options say. */
export function guidedPredictor(
  { network, params }: LoadedNetwork,
  labels: Int32Array,
  guidance: Guidance,
  process: ProcessSpec | null,
): PredictAt {
  const isInput = network.guidanceRange !== undefined
  const scales = isInput ? new Float32Array(labels.length).fill(guidance.scale) : undefined
  const run: LabelledModel = (xt, timesteps, classes) =>
    network.forward(params, { xt, timesteps, labels: classes, guidance: scales })
  const plain: PredictAt = (xt, timesteps) => run(xt, timesteps, labels)
  if (guidance.scale === 1 || isInput) return plain
  const { interval } = guidance
  const leading = leadingPredictor(run, network, labels, guidance)
  if (interval === undefined || process === null) return leading
  const [low, high] = interval
  const sigmaOf = toldSigma(process)
  return (xt, timesteps) => {
    const sigma = sigmaOf(timesteps[0])
    return (sigma >= low && sigma <= high ? leading : plain)(xt, timesteps)
  }
}

/** What guidance makes of the network, at every level. */
function leadingPredictor(
  run: LabelledModel,
  { inputShape: [inChannels] }: SampledNetwork,
  labels: Int32Array,
  { scale, nullClass, channels, rescale, guide }: Guidance,
): PredictAt {
  if (guide !== undefined) {
    const weak: PredictAt = (xt, timesteps) => guide.network.forward(guide.params, { xt, timesteps, labels })
    return autoguidedPredict((xt, timesteps) => run(xt, timesteps, labels), weak, { scale })
  }
  return guided(run, {
    labels,
    nullLabel: nullClass!,
    scale,
    channels: channels === 'all' ? 'all' : Math.min(channels, inChannels),
    rescale,
  })
}

/** sigma / alpha at what the network is told; Infinity where no signal is left. */
export function toldSigma(process: ProcessSpec): (timestep: number) => number {
  if (isFlow(process)) {
    return (timestep) => {
      const { alpha, sigma } = flowLevel(timestepToT(timestep, process), process)
      return sigma / alpha
    }
  }
  // The network is told timesteps of the process before any respacing.
  const { tables } = gaussianDiffusion({ ...gaussianOptions(process), respacing: undefined })
  const logs = sigmaTable(tables.alphaBar).map(Math.log)
  return (timestep) => Math.exp(sigmaAt(logs, timestep))
}
