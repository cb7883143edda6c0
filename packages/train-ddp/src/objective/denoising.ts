import {
  type GaussianDiffusion,
  gaussianDiffusion,
  type GaussianDiffusionOptions,
  trainingLosses,
} from '@dit/diffusion'
import type { DiTConfig } from '@dit/model'
import { integers, randomStream } from '@dit/random'
import {
  checkLossWeight,
  drawTimesteps,
  emptyLossHistory,
  type LossHistory,
  type LossWeight,
  lossHistoryWeights,
  updateLossHistory,
} from '@dit/schedules'
import { randomNormal, type Tensor } from '@dit/tensor'
import { batchTensor, type TrainBatch } from '../batch.js'
import { dit, type DiTSpec } from './dit.js'
import type { Network } from './network.js'
import type { Objective } from './objective.js'

/** How timesteps are drawn: uniformly, or in proportion to the root mean square of recent losses. */
export type TimestepSampler = 'uniform' | 'lossSecondMoment'

/** The process that a network learns to reverse: a Gaussian diffusion, by default that of the paper. */
export interface GaussianProcessSpec extends GaussianDiffusionOptions {
  readonly kind?: 'gaussian'
}

export interface DenoisingOptions {
  /** Default `uniform`. */
  readonly timestepSampler?: TimestepSampler
}

/** `spec` of an objective of `denoising`: with `objectiveFromSpec`, the objective itself. */
export interface DenoisingSpec<NetworkSpec = object> {
  readonly kind: 'denoising'
  readonly network: NetworkSpec
  readonly process: GaussianProcessSpec & { readonly kind: 'gaussian' }
  readonly timestepSampler: TimestepSampler
}

/** What `denoising` gives: an objective that also says what it is made of. */
export interface DenoisingObjective<NetworkSpec = object> extends Objective<LossHistory | null> {
  readonly spec: DenoisingSpec<NetworkSpec>
  readonly network: Network
  readonly process: GaussianDiffusion
}

/**
 * Training of a network that removes noise: pictures are noised by a process at timesteps that are drawn, and the network
 * predicts what the process asks for. Batches hold `x0` and what the network's `conditions` reads.
 *
 *   loss = `trainingLosses` of @dit/diffusion
 *
 * Noise is stream `noise` of the seed and step, timesteps are stream `timesteps`; each example takes the draws of its place in
 * the global batch, whatever the micro-batches and workers.
 *
 * @throws RangeError where the network's output does not fit the process, or the process cannot be
 *
 * Ho et al. 2020, algorithm 1; Nichol & Dhariwal 2021, section 3.3 (`lossSecondMoment`).
 */
export function denoising<NetworkSpec extends object>(
  network: Network & { readonly spec: NetworkSpec },
  process: GaussianProcessSpec = {},
  { timestepSampler = 'uniform' }: DenoisingOptions = {},
): DenoisingObjective<NetworkSpec> {
  const spec = completeProcess(process)
  const { kind: _kind, ...processOptions } = spec
  const diffusion = gaussianDiffusion(processOptions)
  checkOutputs(network, diffusion)
  if (!['uniform', 'lossSecondMoment'].includes(timestepSampler)) {
    throw new RangeError(`denoising: timestepSampler must be uniform or lossSecondMoment (got ${timestepSampler})`)
  }
  return {
    spec: { kind: 'denoising', network: network.spec, process: spec, timestepSampler },
    network,
    process: diffusion,
    parameters: network.parameters,
    blocks: network.blocks,
    terms: termsOf(diffusion),
    init: (options) => network.init(options),
    checkBatch(batch) {
      checkPictures(network, batch)
      network.conditions(batch, null)
    },
    initialState: timestepSampler === 'uniform' ? null : emptyLossHistory(diffusion.numTimesteps),
    draw(history, { seed, step, batchSize }) {
      const stream = randomStream(seed, 'timesteps', step)
      if (history !== null) return drawTimesteps(lossHistoryWeights(history), stream, batchSize)
      const timesteps = integers(stream, diffusion.numTimesteps, batchSize)
      return { timesteps, importanceWeights: new Float32Array(batchSize).fill(1) }
    },
    losses(params, batch, { timesteps }, { seed, step, start, recompute, backend }) {
      const x0 = batchTensor(batch, 'x0', backend) // [B, C, H, W]
      const stream = randomStream(seed, 'noise', step)
      const noise = randomNormal(x0.shape, stream, { backend, start: (start * x0.size) / batch.count })
      const conditions = network.conditions(batch, { seed, step, start })
      const predict = (xt: Tensor, originalTimesteps: ArrayLike<number>) =>
        network.forward(params, { xt, timesteps: originalTimesteps, conditions }, { recompute })
      return { ...trainingLosses(diffusion, predict, { x0, timesteps: timesteps as Int32Array, noise }) }
    },
    learned: (history, { timesteps }, losses) =>
      history === null ? null : updateLossHistory(history, timesteps, losses),
  }
}

/** `denoising` of a class-conditional DiT: what the paper trains. */
export function classConditional(
  config: DiTConfig,
  process: GaussianProcessSpec = {},
  options: DenoisingOptions = {},
): DenoisingObjective<DiTSpec> {
  return denoising(dit(config), process, options)
}

/**
 * A process with every setting in it, so that equal processes have equal specs. Betas become a plain list; a loss weight and ends of
 * the schedule are there only where they are given.
 *
 * @throws RangeError for a kind or a setting that is not known here
 */
export function completeProcess(process: GaussianProcessSpec): DenoisingSpec['process'] {
  const { kind = 'gaussian', schedule, numTimesteps, betas, betaStart, betaEnd, respacing, ...types } = process
  if (kind !== 'gaussian') throw new RangeError(`denoising: the process must be gaussian (got ${String(kind)})`)
  const { meanType = 'epsilon', varianceType = 'learnedRange', lossType = 'mse', lossWeight, ...unknown } = types
  const [name] = Object.keys(unknown)
  if (name !== undefined) throw new RangeError(`denoising: a gaussian process has no setting ${name}`)
  const steps =
    betas === undefined
      ? { schedule: schedule ?? ('linear' as const), numTimesteps: numTimesteps ?? 1000 }
      : { schedule, numTimesteps, betas: Array.from(betas) }
  return {
    kind,
    ...steps,
    ...(betaStart === undefined ? {} : { betaStart }),
    ...(betaEnd === undefined ? {} : { betaEnd }),
    ...(respacing === undefined || respacing === null ? {} : { respacing }),
    meanType,
    varianceType,
    lossType,
    ...completeWeight(lossWeight),
  }
}

/** Nothing for no weight, as in runs from before there were any. */
function completeWeight(lossWeight: LossWeight = 'none'): { readonly lossWeight?: LossWeight } {
  checkLossWeight('denoising', lossWeight)
  if (lossWeight === 'none') return {}
  if (typeof lossWeight === 'string' || !('p2' in lossWeight)) return { lossWeight }
  const { k = 1, gamma = 1 } = lossWeight.p2
  return { lossWeight: { p2: { k, gamma } } }
}

function termsOf({ lossType, varianceType }: GaussianDiffusion): readonly ['loss', ...string[]] {
  if (lossType === 'kl' || lossType === 'rescaledKl') return ['loss']
  return varianceType.startsWith('learned') ? ['loss', 'mse', 'vb'] : ['loss', 'mse']
}

function checkOutputs(
  { outputsPerChannel, inputShape: [channels] }: Network,
  { varianceType }: GaussianDiffusion,
): void {
  const needed = varianceType.startsWith('learned') ? 2 : 1
  if (outputsPerChannel === needed) return
  throw new RangeError(
    `denoising: the network has ${outputsPerChannel * channels} output channels, but variance type ${varianceType} needs ${needed * channels}; set learnSigma of a DiT to ${needed === 2}`,
  )
}

/** Throws unless a batch holds pictures of the shape that the network takes. */
export function checkPictures({ inputShape }: Network, { arrays }: TrainBatch): void {
  const { data, shape } = arrays.x0 ?? {}
  if (!(data instanceof Float32Array)) throw new TypeError('train: a batch must hold x0, a Float32Array')
  if (shape.length !== 3 || inputShape.some((extent, i) => shape[i] !== extent)) {
    throw new RangeError(
      `train: x0 must hold examples of [${inputShape.join(', ')}] (got examples of [${shape.join(', ')}])`,
    )
  }
}
