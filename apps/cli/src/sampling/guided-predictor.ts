import { gaussianDiffusion, type PredictAt } from '@dit/diffusion'
import { forward, nullLabel } from '@dit/model'
import { autoguidedPredict, guided, type LabelledModel, type Timesteps } from '@dit/sampler'
import { flowLevel, sigmaAt, sigmaTable, timestepToT } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import type { ProcessSpec } from '@dit/train-ddp'
import { gaussianOptions, isFlow } from '../run/objective-config.js'
import type { SampleOptions } from './sample-classes.js'

/** The network of some classes, guided as the options say. */
export function guidedPredictor(options: SampleOptions, labels: Int32Array): PredictAt {
  const { model, params, guidance = 1 } = options
  const run: LabelledModel = (xt, timesteps, classes) => forward(model, params, { xt, timesteps, labels: classes })
  const plain: PredictAt = (xt, timesteps) => run(xt, timesteps, labels)
  if (guidance === 1) return plain
  return within(options, leaning(options, run, labels), plain)
}

/** What guidance makes of the network, at every level. */
function leaning(options: SampleOptions, run: LabelledModel, labels: Int32Array): PredictAt {
  const { model, guide, guidance = 1, guidanceChannels = 3, guidanceRescale: rescale } = options
  const { nullClass = nullLabel(model) } = options
  if (guide !== undefined) {
    const weak: PredictAt = (xt, timesteps) => forward(guide.model, guide.params, { xt, timesteps, labels })
    return autoguidedPredict((xt: Tensor, timesteps: Timesteps) => run(xt, timesteps, labels), weak, {
      scale: guidance,
    })
  }
  if (nullClass === null) {
    throw new RangeError(
      `sampleClasses: guidance must be 1 for a model trained without class dropout, which has no null class (got ${guidance})`,
    )
  }
  const channels = guidanceChannels === 'all' ? 'all' : Math.min(guidanceChannels, model.inChannels)
  return guided(run, { labels, nullLabel: nullClass, scale: guidance, channels, rescale })
}

/** Guidance where sigma / alpha lies in the interval, if there is one. */
function within({ process, guidanceInterval }: SampleOptions, guidedOne: PredictAt, plain: PredictAt): PredictAt {
  if (guidanceInterval === undefined) return guidedOne
  const [low, high] = guidanceInterval
  const sigmaOf = toldSigma(process)
  return (xt, timesteps) => {
    const sigma = sigmaOf(timesteps[0])
    return (sigma >= low && sigma <= high ? guidedOne : plain)(xt, timesteps)
  }
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
