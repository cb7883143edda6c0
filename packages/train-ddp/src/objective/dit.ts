import { dropLabels } from '@dit/adaln'
import { type DiTConfig, forward, initParams, nullLabel, parameterTable } from '@dit/model'
import type { Block } from '@dit/model/blocks'
import { randomStream, uniforms } from '@dit/random'
import type { TrainBatch } from '../batch.js'
import type { LowRankSpec } from './low-rank.js'
import type { Network } from './network.js'

/** `spec` of a `dit` network. */
export interface DiTSpec {
  readonly kind: 'dit'
  readonly config: DiTConfig
  /** Where adapters are trained in place of its weights (`lowRank`). */
  readonly lora?: LowRankSpec
}

/**
 * A class-conditional DiT as a network to train. Batches hold `x0` and `labels`; labels are dropped by the chance that the
 * configuration gives.
 *
 * @throws RangeError or TypeError for a configuration that cannot be, or that has `conditions`
 */
export function dit(config: DiTConfig): Network<Int32Array> & { readonly spec: DiTSpec } {
  return withLabels(config, { kind: 'dit', config })
}

/** `spec` of a `ditWithBlock` network. */
export interface DiTWithBlockSpec {
  readonly kind: 'dit-with-block'
  readonly block: string
  readonly config: DiTConfig
}

/**
 * The same with blocks of your own in place of those that the configuration names. Files of weights cannot describe such a network: a run of
 * it is sampled with the module that made it.
 *
 * @param name of the block; a run resumes exactly only under an equal one
 * @throws RangeError or TypeError for a configuration that cannot be, or that has `conditions`
 *
 * @example
 * export const objective = ({ classes }) => denoising(ditWithBlock({ ...config, numClasses: classes.length }, 'parallel', parallel), process)
 */
export function ditWithBlock(
  config: DiTConfig,
  name: string,
  block: Block,
): Network<Int32Array> & { readonly spec: DiTWithBlockSpec } {
  if (config.block !== undefined) {
    throw new RangeError(
      `ditWithBlock: the configuration names blocks of its own (block: ${config.block}); leave it out`,
    )
  }
  return withLabels(config, { kind: 'dit-with-block', block: name, config }, block)
}

function withLabels<Spec extends object>(
  config: DiTConfig,
  spec: Spec,
  block?: Block,
): Network<Int32Array> & { readonly spec: Spec } {
  if (config.conditions !== undefined) {
    throw new RangeError('dit: the configuration has conditions, not one label; use conditionalDiT')
  }
  if (config.guidanceRange !== undefined) {
    throw new RangeError('dit: the configuration takes the scale of guidance as an input; use studentDiT')
  }
  return {
    ...ditParts(config, spec, block),
    classes: { numClasses: config.numClasses, nullLabel: nullLabel(config), conditions: (labels) => labels },
    conditions(batch, at) {
      const labels = labelsOf(config, batch)
      return at === null ? labels : dropped(config, labels, at)
    },
    forward: (params, { xt, timesteps, conditions }, options) =>
      forward(config, params, { xt, timesteps, labels: conditions }, { ...options, block }),
  }
}

/** What a DiT is as a network, whatever it is told. */
export function ditParts<Spec extends object>(
  config: DiTConfig,
  spec: Spec,
  block?: Block,
): Omit<Network, 'classes' | 'conditions' | 'forward'> & { readonly spec: Spec } {
  const parameters = parameterTable(config, block)
  const [height, width] = typeof config.inputSize === 'number' ? [config.inputSize, config.inputSize] : config.inputSize
  return {
    spec,
    parameters,
    blocks: config.depth,
    inputShape: [config.inChannels, height, width],
    outputsPerChannel: config.learnSigma ? 2 : 1,
    knowsWholeTimestepsOnly: config.timestepEmbedding === 'table',
    init: (options) => initParams(config, { ...options, block }),
  }
}

export function labelsOf({ numClasses }: DiTConfig, { arrays }: TrainBatch): Int32Array {
  const { data, shape } = arrays.labels ?? {}
  if (!(data instanceof Int32Array) || shape.length > 0) {
    throw new TypeError('train: labels must be an Int32Array with one number per example (shape [])')
  }
  const wrong = data.find((label) => label < 0 || label >= numClasses)
  if (wrong !== undefined) throw new RangeError(`train: labels must be in 0..${numClasses - 1} (got ${wrong})`)
  return data
}

/** Class dropout for classifier-free guidance (Ho & Salimans 2022, algorithm 1). */
function dropped(
  config: DiTConfig,
  labels: Int32Array,
  { seed, step, start }: { readonly seed: number; readonly step: number; readonly start: number },
): Int32Array {
  const none = nullLabel(config)
  if (none === null) return labels
  const stream = randomStream(seed, 'label-dropout', step)
  return dropLabels(labels, {
    nullLabel: none,
    probability: config.classDropout,
    uniforms: uniforms(stream, labels.length, start),
  })
}
