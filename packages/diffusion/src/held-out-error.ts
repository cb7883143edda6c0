import type { NoiseLevel } from '@dit/schedules'
import { add, affine, dispose, randomNormal, randomStream, scope, square, sub, type Tensor } from '@dit/tensor'
import { meanPerSample } from './gaussian/normal.js'

/**
 * Signal-to-noise ratios at which errors are measured: from 100, where only fine detail is hidden, to 0.01, where only
 * the class and the rough layout can be told.
 */
export const HELD_OUT_SNRS: readonly number[] = [100, 10, 1, 0.1, 0.01]

/** A level at which errors are measured, with the ratio that it stands for. */
export interface HeldOutLevel extends NoiseLevel {
  readonly snr: number
}

/** Held-out pictures on the engine. */
export interface HeldOutBatch {
  /** `[B, C, H, W]` */
  readonly x0: Tensor
  /** Place of the first among all held-out pictures: the noise of a picture follows from it, whatever the batches. */
  readonly start: number
}

/**
 * Squared error of the estimate of x0 for each picture at each level: the mean over C, H, W of (estimate - x0)^2. The noise of a
 * picture and a level is the same for every network and run, so that two of them are compared on the same noisy pictures.
 *
 * Training losses of different predictions and processes are not comparable; this is. It is not clipped: for a prediction of the
 * noise, errors at low ratios are as large as they are.
 *
 * @param estimate of x0 from xt `[B, C, H, W]`; called in a scope
 * @returns for each level `[B]`
 */
export async function heldOutErrors(
  estimate: (xt: Tensor, level: HeldOutLevel) => Tensor,
  { x0, start }: HeldOutBatch,
  levels: readonly HeldOutLevel[],
): Promise<Float64Array[]> {
  const size = x0.size / x0.shape[0]
  const errors: Float64Array[] = []
  for (const level of levels) {
    const stream = randomStream(0, 'held-out', String(level.snr))
    const values = scope(() => {
      const noise = randomNormal(x0.shape, stream, { backend: x0.backend, start: start * size })
      const xt = add(affine(x0, level.alpha), affine(noise, level.sigma))
      return meanPerSample(square(sub(estimate(xt, level), x0)))
    })
    errors.push(Float64Array.from(await values.data()))
    dispose(values)
  }
  return errors
}

/** What was measured over all held-out pictures. */
export interface HeldOutError {
  /**
   * exp(mean over the levels of log(error)): every level counts alike, though errors grow as the ratio falls. Two runs are
   * compared by the quotient of theirs.
   */
  readonly geometricMean: number
  readonly levels: readonly {
    readonly snr: number
    /** Mean over the pictures. */
    readonly error: number
    /** Standard deviation over the pictures / sqrt(their number). */
    readonly standardError: number
  }[]
  /** Pictures. */
  readonly count: number
}

/**
 * Summarises the errors of all pictures.
 *
 * @param errors for each level, of every picture
 * @throws RangeError without pictures
 */
export function summariseHeldOut(levels: readonly HeldOutLevel[], errors: readonly ArrayLike<number>[]): HeldOutError {
  const count = errors[0]?.length ?? 0
  if (count === 0) throw new RangeError('summariseHeldOut: there must be a level and a picture')
  const measured = levels.map(({ snr }, i) => {
    const values = Array.from(errors[i])
    const error = values.reduce((sum, value) => sum + value, 0) / count
    const squares = values.reduce((sum, value) => sum + (value - error) ** 2, 0)
    return { snr, error, standardError: Math.sqrt(squares / Math.max(1, count - 1) / count) }
  })
  const logs = measured.reduce((sum, { error }) => sum + Math.log(error), 0)
  return { geometricMean: Math.exp(logs / levels.length), levels: measured, count }
}
