import { drawTimes, type FlowGridOptions, flowInterval, flowLevel, flowPath, type Path, snrToT } from '@dit/schedules'
import { denoiser } from '../denoiser.js'
import type { Process } from '../process.js'
import { flowLosses } from './flow-losses.js'
import { type FlowMatching, flowMatching, type FlowMatchingOptions } from './flow-matching.js'

/** Flow matching as a `Process`, with its settings. */
export interface FlowProcess extends Process, Pick<FlowMatching, 'family'> {
  readonly settings: FlowMatching
  /**
   * The path of a solver.
   *
   * @param options `from` and `to` are times, by default the ends at which the prediction is finite: 1 and 0 for a velocity. Solvers
   *   that divide by alpha begin at `from: 0.999`
   * @throws RangeError as `flowTimes`
   */
  path(options: FlowGridOptions): Path
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
    path: ({ numSteps, shift, from = grid.max, to = grid.min }) => flowPath({ ...flow, numSteps, shift, from, to }),
    denoiser: (predict, readOptions) => denoiser(predict, { ...readOptions, prediction, outputsPerChannel }),
  }
}
