import type { RandomStream } from '@dit/random'
import type { NoiseLevel, Path } from '@dit/schedules'
import type { Tensor } from '@dit/tensor'
import type { Denoise, DenoiserOptions, PredictAt, Prediction } from './denoiser.js'

/** Pictures, noise of their shape, and a time each: what `draw` of the process gave. */
export interface ProcessBatch {
  readonly x0: Tensor
  readonly timesteps: Int32Array | Float32Array
  readonly noise: Tensor
}

/**
 * A noising process as a trainer and a sampler see it: how training times are drawn, what is minimised, and where a solver goes.
 * `gaussianProcess` and `flowProcess` make one of each family; a third is any object of this shape.
 */
export interface Process {
  readonly prediction: Prediction
  /** 2 where the network has as many more channels, for a variance or unused. */
  readonly outputsPerChannel: 1 | 2
  /** Names of what `losses` returns; the first is minimised. */
  readonly terms: readonly ['loss', ...string[]]
  /**
   * Times for a batch: draw i is a pure function of the stream and i.
   *
   * @param start index of the first draw, 0 by default
   * @returns `[count]`, to be handed to `losses`; not necessarily what the network is told
   */
  draw(stream: RandomStream, count: number, start?: number): Int32Array | Float32Array
  /** Losses per sample by the names of `terms`, `[B]` each, differentiable through `predict`; the caller disposes of them. */
  losses(predict: PredictAt, batch: ProcessBatch): Readonly<Record<string, Tensor>>
  /**
   * The level at a signal-to-noise ratio, for errors that can be compared between processes.
   *
   * @param options `isWhole`: take the nearest level that a network of whole timesteps knows
   */
  levelAtSnr(snr: number, options?: { readonly isWhole?: boolean }): NoiseLevel
  /** The path of a solver, from noise to data. */
  path(options: { readonly numSteps: number; readonly shift?: number }): Path
  /** The reader of the network's output. */
  denoiser(predict: PredictAt, options?: Omit<DenoiserOptions, 'prediction' | 'outputsPerChannel'>): Denoise
}
