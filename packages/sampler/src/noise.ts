import { type Backend, formatShape, randomNormal, randomStream, type Shape, sizeOf, type Tensor } from '@dit/tensor'
import { checkNoise } from './step-options.js'

/**
 * Standard normal draws for one step, of the given shape on the given backend; `index` counts the steps as they run,
 * from 0. Called exactly once per step, also where the draws will be multiplied by zero (the last step, and every step of
 * DDIM with eta = 0), so that recorded draws stay in step; for churn only where noise is added. A tensor made inside is freed for you.
 */
export type StepNoise = (index: number, shape: Shape, backend: Backend) => Tensor

/**
 * Where the noise of the steps comes from: a seed, or a function.
 *
 * With a seed, sample i of the batch gets at step `index` the draws number (firstSample + i) * C * H * W and following
 * of `randomStream(seed, 'sampler', index)`: a pure function of step and sample, however samples are cut into batches.
 */
export type NoiseSource =
  | { readonly seed: number; readonly firstSample?: number; readonly noise?: undefined }
  | { readonly noise: StepNoise; readonly seed?: undefined; readonly firstSample?: undefined }

export interface StartNoiseOptions {
  readonly seed: number
  /** Number of the first sample of this batch among all that will be drawn with this seed. */
  readonly firstSample?: number
  /** The backend of `useBackend` by default. */
  readonly backend?: Backend
}

/**
 * Pure noise to start from: draws of `randomStream(seed, 'sampler', 'start')`, numbered by sample as in `NoiseSource`.
 *
 * @param shape  `[B, C, H, W]`
 * @returns the caller disposes of it
 * @throws RangeError when seed, firstSample or shape are out of range
 *
 * @example
 * const xT = startNoise([4, 3, 32, 32], { seed: 0 })
 */
export function startNoise(shape: Shape, { seed, firstSample = 0, backend }: StartNoiseOptions): Tensor {
  const start = firstDraw('startNoise', shape, firstSample)
  return randomNormal(shape, randomStream(seed, 'sampler', 'start'), { start, backend })
}

/**
 * The noise function that the options ask for; null where they name no source and none is needed.
 *
 * @throws TypeError when there are two sources, or none where one is needed; RangeError when a draw has another shape
 */
export function stepNoise(
  caller: string,
  { seed, firstSample = 0, noise }: Partial<NoiseSource>,
  isNeeded: boolean,
): StepNoise | null {
  if (seed !== undefined && noise !== undefined) {
    throw new TypeError(`${caller}: give either a seed or a noise function (got both)`)
  }
  if (noise !== undefined) {
    return (index, shape, backend) => {
      const drawn = noise(index, shape, backend)
      checkNoise(caller, drawn, shape)
      return drawn
    }
  }
  if (seed === undefined) {
    if (isNeeded) throw new TypeError(`${caller}: a seed or a noise function is needed (got neither)`)
    return null
  }
  randomStream(seed) // throws for a seed out of range
  checkFirstSample(caller, firstSample)
  if (!isNeeded) return null
  return (index, shape, backend) =>
    randomNormal(shape, randomStream(seed, 'sampler', index), { start: firstDraw(caller, shape, firstSample), backend })
}

function firstDraw(caller: string, shape: Shape, firstSample: number): number {
  if (shape.length === 0) throw new RangeError(`${caller}: shape must be [B, ...] (got ${formatShape(shape)})`)
  checkFirstSample(caller, firstSample)
  return firstSample * sizeOf(shape.slice(1))
}

/** Throws unless a sample can have this number. */
export function checkFirstSample(caller: string, firstSample: number): void {
  if (!Number.isSafeInteger(firstSample) || firstSample < 0) {
    throw new RangeError(`${caller}: firstSample must be a non-negative integer (got ${firstSample})`)
  }
}
