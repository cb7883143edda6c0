import { type DiTConfig, forward, nullLabel, outChannels, type ParameterSource } from '@dit/model'
import { type Params, scope, type Tensor } from '@dit/tensor'
import type { Network } from '@dit/train-ddp'
import { OpenError } from './option-error.js'
import { sampleShape } from './pictures/pixel-model.js'

/** A network as sampling sees it: a DiT, or one of your own. */
export interface SampledNetwork {
  /** Shape of one picture or latent, `[C, H, W]`. */
  readonly inputShape: readonly [channels: number, height: number, width: number]
  /** Output channels for each input channel: 1, or 2 if it also predicts a variance. */
  readonly outputsPerChannel: 1 | 2
  readonly numClasses: number
  /** The label that stands for no class; null where there is none. */
  readonly nullLabel: number | null
  /** Scales of guidance that it takes as an input and answers in one pass; absent where guidance takes two. */
  readonly guidanceRange?: readonly [low: number, high: number] | undefined
  /**
   * @param inputs `xt` `[B, C, H, W]`, and `[B]` timesteps and labels on the host, and scales of guidance where it takes them
   * @returns `[B, C, H, W]`, or `[B, 2 C, H, W]`; the caller disposes of it
   */
  forward(
    params: Params | ParameterSource,
    inputs: {
      readonly xt: Tensor
      readonly timesteps: ArrayLike<number>
      readonly labels: ArrayLike<number>
      readonly guidance?: Float32Array | undefined
    },
  ): Tensor
}

/** Makes of the configuration of a DiT with conditions the network that is sampled, such as `withPrompts`. */
export type Prompted = (config: DiTConfig) => Network

/** Whether what a caller gave is a network of its own, and not the configuration of a DiT. */
export function isOwnNetwork(network: DiTConfig | Network): network is Network {
  return typeof (network as Partial<Network>).forward === 'function'
}

/**
 * A DiT as sampling sees it.
 *
 * @param name of the model, for messages
 * @param prompted makes the network of one that is told conditions in place of a class
 * @throws OpenError for conditions without it
 */
export function ditNetwork(name: string, config: DiTConfig, prompted?: Prompted): SampledNetwork {
  if (config.conditions !== undefined) {
    if (prompted !== undefined) return ownNetwork(name, prompted(config), 0)
    throw new OpenError(
      name,
      'it is told conditions; its network needs prompts, as withPrompts() of @dit/train-ddp takes them',
    )
  }
  return {
    inputShape: sampleShape(config),
    outputsPerChannel: outChannels(config) === config.inChannels ? 1 : 2,
    numClasses: config.numClasses,
    nullLabel: nullLabel(config),
    guidanceRange: config.guidanceRange,
    forward: (params, inputs) => forward(config, params, inputs),
  }
}

/**
 * A network of a user's own as sampling sees it.
 *
 * @param name of the model, for messages
 * @param numClasses where the network does not say
 * @throws OpenError where it is told something else than classes, when it is run
 */
export function ownNetwork(name: string, network: Network, numClasses: number): SampledNetwork {
  const { classes, inputShape, outputsPerChannel } = network
  const conditionsOf = (labels: Int32Array, guidance?: Float32Array): unknown => {
    if (classes !== undefined) return classes.conditions(labels, guidance)
    const batch = { count: labels.length, arrays: { labels: { data: labels, shape: [] } } }
    try {
      return network.conditions(batch, null)
    } catch (cause) {
      throw new OpenError(
        name,
        `its network is told more than labels (${(cause as Error).message}); give it \`classes\``,
        { cause },
      )
    }
  }
  return {
    inputShape,
    outputsPerChannel,
    numClasses: classes?.numClasses ?? numClasses,
    nullLabel: classes?.nullLabel ?? null,
    guidanceRange: classes?.guidanceRange,
    forward(params, { xt, timesteps, labels, guidance }) {
      return scope(() => {
        const conditions = conditionsOf(Int32Array.from(labels), guidance)
        // Whoever opened it has refused other parameters.
        return network.forward(params as Params, { xt, timesteps, conditions }, { recompute: 'none' })
      })
    },
  }
}
