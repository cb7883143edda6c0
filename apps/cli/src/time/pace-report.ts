import { countedNetwork } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import type { TrainEvent } from '@dit/train-ddp'
import type { PreparedRun } from '../run/prepare-training.js'
import { denoisingOrNull } from '../run/objective-config.js'
import { type HeldOut, measuredPictures } from '../run/held-out.js'
import { gridRows } from '../run/grid-prompts.js'
import { gridPictures } from '../run/sample-grid.js'
import { formatQuantity } from '../terminal/format.js'
import { type Clock, steadyClock } from './clock.js'
import { fastestProduct } from './fastest-product.js'
import { createPace, isMeasured } from './pace.js'
import { extrasOf, runTime, type RunTime, measuredText, timeText } from './run-time.js'

/** How fast a run goes now. */
export interface Speed {
  readonly examplesPerSecond: number
  /** Of the FLOPs that the engine's fastest matrix product reaches, on all workers; null where the FLOPs of a step are not known. */
  readonly share: number | null
}

/** What a run will take, once its first steps are measured. */
export interface FirstPace {
  readonly secondsPerStep: number
  readonly time: RunTime
  /** FLOPs a second of the fastest product, or null. */
  readonly peak: number | null
  readonly lines: readonly string[]
}

export interface PaceReport {
  /** To be told of every event of the trainer. Gives what the run will take, once, when that is known. */
  saw(event: TrainEvent): Promise<FirstPace | null>
  /** Work within a step that is no part of it. */
  aside<T>(work: () => Promise<T>): Promise<T>
  /** Null until it is known. */
  speed(): Speed | null
}

export interface PaceOptions {
  readonly workers: number
  readonly heldOut: HeldOut | null
  /** Seconds of an evaluation beside drawing its samples; 0 where there is none. */
  readonly overheadSeconds?: () => number
  /** Off where nobody would see it (default true): then nothing is measured. */
  readonly isShown?: boolean
  readonly clock?: Clock
}

/** Measures a run by its own steps; only the engine's ceiling takes a quarter of a second more. */
export function createPaceReport(
  { config, engine }: Pick<PreparedRun, 'config' | 'engine'>,
  { workers, heldOut, overheadSeconds = () => 0, isShown = true, clock = steadyClock }: PaceOptions,
): PaceReport {
  const pace = createPace(clock)
  const { batchSize } = config.recipe
  const model = denoisingOrNull(config)?.model
  const stepFlops = model === undefined ? null : batchSize * countMultiplyAdds(countedNetwork(model)).trainingFlops
  let peak: number | null = null
  let isTold = false
  let from = 0
  const speed = (): Speed | null => {
    const secondsPerStep = pace.secondsPerStep()
    if (secondsPerStep === null) return null
    const share = peak === null || stepFlops === null ? null : stepFlops / secondsPerStep / (workers * peak)
    return { examplesPerSecond: batchSize / secondsPerStep, share }
  }
  const first = async (): Promise<FirstPace> => {
    if (stepFlops !== null) peak = await fastestProduct(engine.backend, clock)
    pace.skip()
    const { steps, seconds } = pace.measured
    const secondsPerStep = seconds / steps
    const pictures = { gridPictures: gridPictures(gridRows(config)), measuredPictures: measuredPictures(heldOut) }
    const extras = extrasOf(config, secondsPerStep, { workers, ...pictures, overheadSeconds: overheadSeconds() })
    const time = runTime(secondsPerStep, extras, config.steps, from)
    const lines = [`time   ${timeText(time, secondsPerStep, measuredText(steps), config.steps, from)}`]
    if (peak !== null) lines.push(`speed  ${peakText(peak, workers)}`)
    return { secondsPerStep, time, peak, lines }
  }
  return {
    async saw(event) {
      if (event.type === 'start') from = event.step
      if (event.type !== 'step') {
        pace.skip()
        return null
      }
      pace.step()
      if (isTold || !isShown || event.record.step >= config.steps || !isMeasured(pace)) return null
      isTold = true
      return first()
    },
    aside: (work) => pace.aside(work),
    speed,
  }
}

/** `268 pictures/s, 37 % of the peak` */
export function speedText({ examplesPerSecond, share }: Speed, unit: string): string {
  const rate = `${Number(examplesPerSecond.toPrecision(3))} ${unit}/s`
  return share === null ? rate : `${rate}, ${Number((100 * share).toPrecision(2))} % of the peak`
}

function peakText(peak: number, workers: number): string {
  const times = workers === 1 ? '' : `, times ${workers} workers`
  return `the peak is ${formatQuantity(peak * workers)}FLOP/s: the fastest matrix product of this engine${times}`
}
