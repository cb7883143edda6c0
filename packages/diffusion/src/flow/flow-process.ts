import { drawTimes, flowInterval, flowLevel, flowPath, snrToT } from '@dit/schedules'
import { denoiser } from '../denoiser.js'
import type { Process } from '../process.js'
import { flowLosses } from './flow-losses.js'
import { type FlowMatching, flowMatching, type FlowMatchingOptions } from './flow-matching.js'

/** Flow matching as a `Process`, with its settings. */
export interface FlowProcess extends Process, Pick<FlowMatching, 'family'> {
  readonly settings: FlowMatching
}

/**
 * Flow matching for a trainer and a sampler. `draw` gives times in [0, 1], 0 is data; whole timesteps do not exist here, so
 * `isWhole` has no effect.
 *
 * @throws RangeError for an unknown name or a value out of range
 *
 * @example
 * const process = flowProcess({ networkTime: 'towardsData', times: { law: 'logitNormal' } })
 * const x0 = await lastStep(rungeKutta(process.path({ numSteps: 25 }), process.denoiser(predict), xT))
 */
export function flowProcess(options: FlowMatchingOptions = {}): FlowProcess {
  const settings = flowMatching(options)
  const { flow, prediction, outputsPerChannel, times, interval } = settings
  const grid = flowInterval({ interpolant: flow.interpolant, prediction, use: 'ode' })
  return {
    family: 'flow',
    settings,
    prediction,
    outputsPerChannel,
    terms: ['loss', 'mse'],
    draw: (stream, count, start = 0) => Float32Array.from(drawTimes(times, stream, count, { start, interval, flow })),
    losses: (predict, { x0, timesteps, noise }) => ({
      ...flowLosses(settings, predict, { x0, times: timesteps, noise }),
    }),
    levelAtSnr: (snr) => flowLevel(snrToT(snr, flow), flow),
    path: ({ numSteps, shift }) => flowPath({ ...flow, numSteps, shift, from: grid.max, to: grid.min }),
    denoiser: (predict, readOptions) => denoiser(predict, { ...readOptions, prediction, outputsPerChannel }),
  }
}
