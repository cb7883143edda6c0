import { normals, type RandomStream, uint32s } from '@dit/random'
import { type FlowOptions, snrToT } from './interpolant.js'
import { checkShift, shiftTime } from './shift-time.js'
import { logitNormalTime, logNormalSigma, modeTime } from './time-laws.js'

/** A law that training times are drawn from: plain data. */
export type TimeLaw = (
  | { readonly law: 'uniform' }
  /** Default mean 0 and std 1. */
  | { readonly law: 'logitNormal'; readonly mean?: number; readonly std?: number }
  /** Default scale 1.29. */
  | { readonly law: 'mode'; readonly scale?: number }
  /** Noise levels of EDM; default mean -1.2 and std 1.2. */
  | { readonly law: 'logNormal'; readonly mean?: number; readonly std?: number }
) & {
  /** Moves what was drawn towards the noise: see `shiftTime`. */
  readonly shift?: number
}

/** Where the drawn times end up, and which flow `logNormal` speaks of. */
export interface DrawTimesOptions {
  /** Index of the first draw, 0 by default. */
  readonly start?: number
  /** What was drawn in [0, 1] is stretched over this interval: see `flowInterval`. */
  readonly interval?: { readonly min: number; readonly max: number }
  readonly flow?: FlowOptions
}

/** Where 1 - |scale| still is a density. Esser et al. 2024, below eq. 20: -1 to 2 / (pi - 2). */
const MOST_MODE = 2 / (Math.PI - 2)

/**
 * Times drawn from a random stream: draw i is a pure function of the law, the stream and i, so that workers who each draw a part
 * get the times of the whole batch.
 *
 * @returns `[count]`, 0 is data and 1 is noise
 * @throws RangeError for an unknown law or a value out of range
 *
 * @example
 * drawTimes({ law: 'logitNormal' }, randomStream(seed, 'timesteps', step), 256)
 */
export function drawTimes(
  law: TimeLaw,
  stream: RandomStream,
  count: number,
  { start = 0, interval = { min: 0, max: 1 }, flow }: DrawTimesOptions = {},
): Float64Array {
  checkTimeLaw(law)
  const { min, max } = interval
  if (!(min >= 0 && max <= 1 && min < max)) {
    throw new RangeError(`drawTimes: the interval must lie in [0, 1] (got ${min} to ${max})`)
  }
  const { shift = 1 } = law
  return drawn(law, stream, count, start, flow).map((t) => min + (max - min) * shiftTime(t, shift))
}

function drawn(
  law: TimeLaw,
  stream: RandomStream,
  count: number,
  start: number,
  flow: FlowOptions | undefined,
): Float64Array {
  if (law.law === 'uniform') return uniforms53(stream, count, start)
  if (law.law === 'mode') return uniforms53(stream, count, start).map((u) => modeTime(u, law.scale ?? 1.29))
  const { mean, std } = law
  const draws = normals(stream, count, start)
  if (law.law === 'logitNormal') return Float64Array.from(draws, (n) => logitNormalTime(n, mean, std))
  return Float64Array.from(draws, (n) => ratioToT(logNormalSigma(n, mean, std), flow))
}

/** The time at which sigma / alpha has a value. `vp` ends at t = 1 with some signal left: noisier draws become that end. */
function ratioToT(ratio: number, flow: FlowOptions = {}): number {
  const { interpolant, betaMin = 0.1, betaMax = 20 } = flow
  const snr = 1 / (ratio * ratio)
  if (interpolant === 'vp' && snr <= 1 / Math.expm1((betaMin + betaMax) / 2)) return 1
  return snrToT(snr, flow)
}

/** Draw i is made of the words 2i and 2i + 1, as in `drawTimesteps`. */
function uniforms53(stream: RandomStream, count: number, start: number): Float64Array {
  const words = uint32s(stream, 2 * count, 2 * start)
  return Float64Array.from({ length: count }, (_, i) => {
    return (words[2 * i] * 2 ** 21 + (words[2 * i + 1] >>> 11)) * 2 ** -53
  })
}

/**
 * @throws RangeError for an unknown law or a parameter out of range
 */
export function checkTimeLaw(law: TimeLaw): void {
  checkShift('drawTimes', law.shift ?? 1)
  if (law.law === 'uniform') return
  if (law.law === 'mode') {
    const { scale = 1.29 } = law
    if (scale >= -1 && scale <= MOST_MODE) return
    throw new RangeError(`drawTimes: scale of mode must be in [-1, ${MOST_MODE.toFixed(3)}] (got ${scale})`)
  }
  if (law.law !== 'logitNormal' && law.law !== 'logNormal') {
    const { law: name } = law as { law: unknown }
    throw new RangeError(`drawTimes: law must be uniform, logitNormal, mode or logNormal (got ${String(name)})`)
  }
  const { mean = 0, std = 1 } = law
  if (!(Number.isFinite(mean) && std > 0 && std < Infinity)) {
    throw new RangeError(`drawTimes: mean must be finite and std positive (got ${mean} and ${std})`)
  }
}
