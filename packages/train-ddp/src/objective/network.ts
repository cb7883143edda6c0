import type { Backend, Params, Tensor } from '@dit/tensor'
import type { TrainBatch } from '../batch.js'
import type { ParameterTable, Place } from './objective.js'

/**
 * A network that denoises: what `denoising` trains.
 *
 * @typeParam Conditions what it is told besides the noisy pictures, such as labels
 */
export interface Network<Conditions = unknown> {
  /** What fixes its results: plain data with a `kind`. */
  readonly spec: object
  readonly parameters: ParameterTable
  /** Blocks that may be recomputed. */
  readonly blocks: number
  /** Shape of one picture or latent, `[C, H, W]`. */
  readonly inputShape: readonly [channels: number, height: number, width: number]
  /** Output channels for each input channel: 2 where the network learns variances, as well. */
  readonly outputsPerChannel: 1 | 2
  /** Whether timesteps between those of the process mean nothing to it (default false). */
  readonly knowsWholeTimestepsOnly?: boolean
  init(options: { readonly seed: number; readonly backend: Backend }): Params
  /**
   * Reads what the network is told from a batch.
   *
   * @param at of a batch that is trained on, where some conditions are dropped for guidance; null for one that is evaluated
   * @throws RangeError or TypeError where the batch does not hold it
   */
  conditions(batch: TrainBatch, at: Pick<Place, 'seed' | 'step' | 'start'> | null): Conditions
  /**
   * @returns `[B, C, H, W]`, or `[B, 2 C, H, W]`; made inside a scope
   */
  forward(
    params: Params,
    inputs: { readonly xt: Tensor; readonly timesteps: ArrayLike<number>; readonly conditions: Conditions },
    options: { readonly recompute: 'none' | 'block' | number },
  ): Tensor
}
