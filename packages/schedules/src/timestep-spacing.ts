/** How the steps of a sampler lie in the timesteps of the process that its model knows. */
export type TimestepSpacing = 'leading' | 'linspace' | 'trailing'

export interface SpacingOptions {
  /** Timesteps of the process, T. */
  readonly numTimesteps: number
  /** Steps of the sampler, N. */
  readonly numSteps: number
  readonly spacing: TimestepSpacing
  /** Added to every timestep of `leading`; 0 by default. */
  readonly stepsOffset?: number
}

/**
 * Timesteps of the steps of a sampler, from the noisiest down, as DDIM takes them:
 *
 *   leading    i floor(T / N) + stepsOffset                        for i = N - 1 .. 0
 *   linspace   i (T - 1) / (N - 1), rounded half to even           for i = N - 1 .. 0; from T - 1 to 0
 *   trailing   T - i T / N, rounded half to even, less 1           for i = 0 .. N - 1; from T - 1
 *
 * @returns `[N]`
 * @throws RangeError when there are more steps than timesteps, or a timestep is beyond T - 1
 *
 * Lin et al. 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed", table 2, and diffusers' code for it.
 */
export function ddimTimesteps(options: SpacingOptions): Int32Array {
  checkSpacing('ddimTimesteps', options)
  const { numTimesteps, numSteps, spacing, stepsOffset = 0 } = options
  if (spacing === 'trailing') return trailing('ddimTimesteps', numTimesteps, numTimesteps, numSteps)
  if (spacing === 'linspace') return downwards(evenly(numTimesteps - 1, numSteps).map(roundHalfToEven))
  const stride = Math.floor(numTimesteps / numSteps)
  return within('ddimTimesteps', numTimesteps, downwards(counted(numSteps).map((i) => i * stride + stepsOffset)))
}

/**
 * The same as DPM-Solver takes them: the last step leads to no noise at all, which counts as one step more.
 *
 *   leading    i floor(T / (N + 1)) + stepsOffset                  for i = N .. 1
 *   linspace   i (T - 1) / N, rounded half to even                 for i = N .. 1; from T - 1
 *   trailing   as for DDIM
 *
 * @param options `numUsed` leaves out the noisiest timesteps, from `numUsed` on (all are used by default): with the cosine
 *   schedule they hold next to no signal
 * @throws RangeError as `ddimTimesteps`
 */
export function dpmTimesteps(options: SpacingOptions & { readonly numUsed?: number }): Int32Array {
  checkSpacing('dpmTimesteps', options)
  const { numTimesteps, numSteps, spacing, stepsOffset = 0, numUsed = numTimesteps } = options
  if (spacing === 'trailing') return trailing('dpmTimesteps', numTimesteps, numUsed, numSteps)
  const all =
    spacing === 'linspace'
      ? evenly(numUsed - 1, numSteps + 1).map(roundHalfToEven)
      : counted(numSteps + 1).map((i) => i * Math.floor(numUsed / (numSteps + 1)) + stepsOffset)
  return within('dpmTimesteps', numTimesteps, downwards(all.slice(1)))
}

/**
 * The same for solvers in terms of sigma (Euler, Heun, LMS): as DDIM, but `linspace` is not rounded, since sigma is known between
 * timesteps.
 *
 * @returns `[N]`, float64, falling
 * @throws RangeError as `ddimTimesteps`
 */
export function sigmaTimesteps(options: SpacingOptions): Float64Array {
  if (options.spacing !== 'linspace') return Float64Array.from(ddimTimesteps(options))
  checkSpacing('sigmaTimesteps', options)
  return evenly(options.numTimesteps - 1, options.numSteps).toReversed()
}

function checkSpacing(caller: string, { numTimesteps, numSteps, spacing, stepsOffset = 0 }: SpacingOptions): void {
  if (!Number.isSafeInteger(numTimesteps) || numTimesteps < 1) {
    throw new RangeError(`${caller}: numTimesteps must be a positive integer (got ${numTimesteps})`)
  }
  if (!Number.isSafeInteger(numSteps) || numSteps < 1 || numSteps > numTimesteps) {
    throw new RangeError(`${caller}: numSteps must be an integer in 1..${numTimesteps} (got ${numSteps})`)
  }
  if (!['leading', 'linspace', 'trailing'].includes(spacing)) {
    throw new RangeError(`${caller}: spacing must be leading, linspace or trailing (got ${spacing})`)
  }
  if (!Number.isSafeInteger(stepsOffset) || stepsOffset < 0) {
    throw new RangeError(`${caller}: stepsOffset must be a non-negative integer (got ${stepsOffset})`)
  }
}

/** 0, 1, ..., count - 1 */
function counted(count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => i)
}

/** `count` values from 0 to `last`. */
function evenly(last: number, count: number): Float64Array {
  const step = last / (count - 1)
  return count === 1 ? new Float64Array(1) : counted(count).map((i) => (i === count - 1 ? last : i * step))
}

/** From `first` in strides of T / N, as numpy's arange counts them: it takes the rounded distance of the first two. */
function trailing(caller: string, numTimesteps: number, first: number, numSteps: number): Int32Array {
  const stride = numTimesteps / numSteps
  const rounded = first - (first - stride)
  const timesteps = counted(Math.ceil(first / stride)).map((i) => roundHalfToEven(first - i * rounded) - 1)
  return within(caller, numTimesteps, Int32Array.from(timesteps))
}

function downwards(timesteps: Float64Array): Int32Array {
  return Int32Array.from(timesteps).toReversed()
}

function within(caller: string, numTimesteps: number, timesteps: Int32Array): Int32Array {
  const outside = timesteps.find((timestep) => timestep < 0 || timestep >= numTimesteps)
  if (outside !== undefined) {
    throw new RangeError(`${caller}: timesteps must be in 0..${numTimesteps - 1} (there would be one at ${outside})`)
  }
  return timesteps
}

function roundHalfToEven(value: number): number {
  const down = Math.floor(value)
  const rest = value - down
  if (rest !== 0.5) return Math.round(value)
  return down % 2 === 0 ? down : down + 1
}
