import { HELD_OUT_SNRS, type HeldOutError, heldOutErrors, type HeldOutLevel, summariseHeldOut } from '@dit/diffusion'
import type { Backend, Params, Tensor } from '@dit/tensor'
import { batchTensor, type TrainBatch } from '../batch.js'
import type { DenoisingObjective } from './denoising.js'

export interface HeldOutOptions {
  /** Held-out examples, which training never sees; called once for every measurement. */
  readonly batches: () => AsyncIterable<TrainBatch> | Iterable<TrainBatch>
  /** Signal-to-noise ratios (default `HELD_OUT_SNRS`: 100, 10, 1, 0.1, 0.01). */
  readonly snrs?: readonly number[]
}

/** What of an objective is measured. */
type Measured = Pick<DenoisingObjective, 'network' | 'process' | 'checkBatch'>

/** What is measured with some parameters. */
export interface HeldOutMeasures {
  /** For `evaluate` of `train`: `heldOut`, the geometric mean, and `heldOutSnr100` and so on, the mean error at each ratio. */
  run(context: { readonly ema: Params }): Promise<Readonly<Record<string, number>>>
  /** All of it, with standard errors. */
  measure(params: Params): Promise<HeldOutError>
}

/**
 * Measures how well a network restores held-out pictures: the squared error of its estimate of x0 at fixed signal-to-noise
 * ratios. It compares networks whatever they predict and however they were trained.
 *
 * @throws RangeError where the process does not reach one of the ratios
 *
 * @example
 * train({ ...options, evaluate: { every: 250, run: heldOutMeasures(objective, { batches: () => held }).run } })
 */
export function heldOutMeasures(
  objective: Measured,
  { batches, snrs = HELD_OUT_SNRS }: HeldOutOptions,
): HeldOutMeasures {
  const { network, process } = objective
  if (process.prediction === 'previousX') {
    throw new RangeError('heldOutMeasures: a network that predicts previousX has no estimate of x0 to measure')
  }
  const isWhole = network.knowsWholeTimestepsOnly ?? false
  const levels: HeldOutLevel[] = snrs.map((snr) => ({ snr, ...process.levelAtSnr(snr, { isWhole }) }))
  const measure = async (params: Params) => {
    const { backend } = Object.values(params)[0]
    const errors: number[][] = levels.map(() => [])
    let start = 0
    for await (const batch of batches()) {
      const found = await errorsOf(objective, params, batch, { start, levels, backend })
      found.forEach((values, i) => errors[i].push(...values))
      start += batch.count
    }
    return summariseHeldOut(levels, errors)
  }
  return {
    measure,
    async run({ ema }) {
      const { geometricMean, levels: measured } = await measure(ema)
      const each = measured.map(({ snr, error }) => [`heldOutSnr${snr}`, error] as const)
      return { heldOut: geometricMean, ...Object.fromEntries(each) }
    },
  }
}

async function errorsOf(
  { network, process, ...objective }: Measured,
  params: Params,
  batch: TrainBatch,
  { start, levels, backend }: { start: number; levels: readonly HeldOutLevel[]; backend: Backend },
): Promise<Float64Array[]> {
  objective.checkBatch?.(batch)
  const conditions = network.conditions(batch, null)
  const denoise = process.denoiser((xt: Tensor, timesteps) =>
    network.forward(params, { xt, timesteps, conditions }, { recompute: 'none' }),
  )
  const x0 = batchTensor(batch, 'x0', backend)
  try {
    return await heldOutErrors((xt, level) => denoise(xt, level).x0, { x0, start }, levels)
  } finally {
    x0.dispose()
  }
}
