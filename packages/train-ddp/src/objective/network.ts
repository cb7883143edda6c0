import type { Backend, Params, Tensor } from '@dit/tensor'
import type { TrainBatch } from '../batch.js'
import type { ParameterTable, Place } from './objective.js'

/** How a network is told classes: what sampling them needs. */
export interface ClassConditions<Conditions = unknown> {
  readonly numClasses: number
  /** The label that stands for no class, which guidance leads away from; null where labels are never dropped in training. */
  readonly nullLabel: number | null
  /** Scales of guidance that the network takes as an input and answers in one pass: a distilled student's. Absent: none. */
  readonly guidanceRange?: readonly [low: number, high: number]
  /** What the network is told of labels `[B]`, among which `nullLabel` may be, and of scales `[B]` where it has a `guidanceRange`. */
  conditions(labels: Int32Array, guidance?: Float32Array): Conditions
}

/**
 * A network that denoises: what `denoising` trains.
 *
 * @typeParam Conditions what it is told besides the noisy pictures, such as labels
 */
export interface Network<Conditions = unknown> {
  /** What fixes its results: plain data with a `kind`. */
  readonly spec: object
  readonly parameters: ParameterTable
  /** Blocks that `recompute` may count; 0 where there are none. */
  readonly blocks: number
  /** Shape of one picture or latent, `[C, H, W]`. */
  readonly inputShape: readonly [channels: number, height: number, width: number]
  /** Output channels for each input channel: 1, or 2 if the network also predicts a variance. */
  readonly outputsPerChannel: 1 | 2
  /** Whether timesteps between those of the process mean nothing to it (default false). */
  readonly knowsWholeTimestepsOnly?: boolean
  /**
   * How it is told classes when it is sampled. Without it, sampling gives `conditions` a batch of nothing but labels, and there is no
   * guidance.
   */
  readonly classes?: ClassConditions<Conditions>
  init(options: { readonly seed: number; readonly backend: Backend }): Params
  /**
   * Reads what the network is told from a batch.
   *
   * @param at null when evaluating; when training, what label dropout is drawn from
   * @throws RangeError or TypeError where the batch does not hold it
   */
  conditions(batch: TrainBatch, at: Pick<Place, 'seed' | 'step' | 'start'> | null): Conditions
  /**
   * Runs the network, inside a scope.
   *
   * @param inputs `xt` `[B, C, H, W]` on the engine; `timesteps` `[B]` on the host, as the process counts them (0 ..
   *   numTimesteps - 1, or a flow's time), perhaps fractional when evaluating; `conditions` as the function above gave them
   * @returns `[B, C, H, W]`, or `[B, 2 C, H, W]`
   */
  forward(
    params: Params,
    inputs: { readonly xt: Tensor; readonly timesteps: ArrayLike<number>; readonly conditions: Conditions },
    options: { readonly recompute: 'none' | 'block' | number },
  ): Tensor
}

/**
 * A network as it is given: write your own inside the call, and its functions have the types of their arguments.
 *
 * @throws TypeError where a part of it is missing
 */
export function defineNetwork<const Spec extends object, Conditions>(
  network: Network<Conditions> & { readonly spec: Spec },
): Network<Conditions> & { readonly spec: Spec } {
  checkNetwork(network)
  return network
}

/** Throws a TypeError for a network that lacks what `denoising` calls, or a RangeError for classes that cannot be. */
export function checkNetwork(network: Network): void {
  for (const name of ['init', 'conditions', 'forward'] as const) {
    if (typeof network[name] !== 'function') throw new TypeError(`denoising: ${name} of the network must be a function`)
  }
  if (!Array.isArray(network.inputShape) || network.inputShape.length !== 3) {
    throw new TypeError('denoising: inputShape of the network must be [channels, height, width]')
  }
  if (network.classes !== undefined) checkClasses(network.classes)
}

function checkClasses(classes: ClassConditions): void {
  const { numClasses, nullLabel } = classes
  if (typeof classes.conditions !== 'function') {
    throw new TypeError('denoising: classes of the network must have conditions, a function of labels')
  }
  if (!Number.isSafeInteger(numClasses) || numClasses < 1) {
    throw new RangeError(`denoising: numClasses of the network's classes must be 1 or more (got ${String(numClasses)})`)
  }
  if (nullLabel === null || (Number.isSafeInteger(nullLabel) && nullLabel >= 0)) return
  throw new RangeError(
    `denoising: nullLabel of the network's classes must be a label, or null (got ${String(nullLabel)})`,
  )
}
