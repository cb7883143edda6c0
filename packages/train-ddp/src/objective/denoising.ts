import {
  type CompleteProcess,
  completeProcess,
  type GaussianProcess,
  type PredictAt,
  type Process,
  processFromSpec,
  type ProcessSpec,
} from '@dit/diffusion'
import type { DiTConfig } from '@dit/model'
import { randomStream } from '@dit/random'
import {
  drawTimesteps,
  emptyLossHistory,
  type LossHistory,
  lossHistoryWeights,
  updateLossHistory,
} from '@dit/schedules'
import { randomNormal } from '@dit/tensor'
import { batchTensor, type TrainBatch } from '../batch.js'
import { dit, type DiTSpec } from './dit.js'
import { checkNetwork, type Network } from './network.js'
import type { Objective } from './objective.js'
import type { OwnProcess } from './own-process.js'

/** How timesteps are drawn: uniformly, or in proportion to the root mean square of recent losses. */
export type TimestepSampler = 'uniform' | 'lossSecondMoment'

export interface DenoisingOptions {
  /** Default `uniform`; `lossSecondMoment` is for processes of whole timesteps. */
  readonly timestepSampler?: TimestepSampler
}

/** `spec` of an objective of `denoising`: with `objectiveFromSpec`, the objective itself. */
export interface DenoisingSpec<NetworkSpec = object, ProcessPart = CompleteProcess | { readonly kind: 'own' }> {
  readonly kind: 'denoising'
  readonly network: NetworkSpec
  readonly process: ProcessPart
  readonly timestepSampler: TimestepSampler
}

/** What `denoising` gives: an objective that also says what it is made of. */
export interface DenoisingObjective<
  NetworkSpec = object,
  ProcessPart = CompleteProcess | { readonly kind: 'own' },
> extends Objective<LossHistory | null> {
  readonly spec: DenoisingSpec<NetworkSpec, ProcessPart>
  readonly network: Network
  readonly process: Process
}

/**
 * Training of a network that removes noise: pictures are noised by a process at timesteps that are drawn, and the network
 * predicts what the process asks for, a Gaussian diffusion or a flow. Batches hold `x0` and what the network's `conditions` reads.
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
  process?: ProcessSpec,
  options?: DenoisingOptions,
): DenoisingObjective<NetworkSpec, CompleteProcess>
export function denoising<NetworkSpec extends object>(
  network: Network & { readonly spec: NetworkSpec },
  process: OwnProcess,
  options?: DenoisingOptions,
): DenoisingObjective<NetworkSpec, { readonly kind: 'own' }>
export function denoising<NetworkSpec extends object>(
  network: Network & { readonly spec: NetworkSpec },
  process: ProcessSpec | OwnProcess = {},
  { timestepSampler = 'uniform' }: DenoisingOptions = {},
): DenoisingObjective<NetworkSpec> {
  checkNetwork(network)
  const isOwn = process.kind === 'own'
  if (!isOwn && process.distilled !== undefined) {
    throw new RangeError(
      'denoising: the process is that of a distilled student, which answers for its few steps only; train it with distillation, or leave distilled out',
    )
  }
  const spec = isOwn ? { ...process.spec, kind: 'own' as const } : completeProcess(process)
  const known = isOwn ? process.process : processFromSpec(completeProcess(process), network.outputsPerChannel)
  checkOutputs(network, known)
  if (network.knowsWholeTimestepsOnly === true && !(known.draw(randomStream(0), 1) instanceof Int32Array)) {
    throw new RangeError('denoising: the network knows whole timesteps only, but those of the process are not whole')
  }
  const numTimesteps = checkSampler(timestepSampler, known)
  return {
    spec: { kind: 'denoising', network: network.spec, process: spec, timestepSampler },
    network,
    process: known,
    parameters: network.parameters,
    blocks: network.blocks,
    terms: known.terms,
    init: (options) => network.init(options),
    checkBatch(batch) {
      checkPictures(network, batch)
      network.conditions(batch, null)
    },
    initialState: numTimesteps === null ? null : emptyLossHistory(numTimesteps),
    draw(history, { seed, step, batchSize }) {
      const stream = randomStream(seed, 'timesteps', step)
      if (history !== null) return drawTimesteps(lossHistoryWeights(history), stream, batchSize)
      return { timesteps: known.draw(stream, batchSize), importanceWeights: new Float32Array(batchSize).fill(1) }
    },
    losses(params, batch, { timesteps }, { seed, step, start, recompute, backend }) {
      const x0 = batchTensor(batch, 'x0', backend) // [B, C, H, W]
      const stream = randomStream(seed, 'noise', step)
      const noise = randomNormal(x0.shape, stream, { backend, start: (start * x0.size) / batch.count })
      const conditions = network.conditions(batch, { seed, step, start })
      const predict: PredictAt = (xt, told) =>
        network.forward(params, { xt, timesteps: told, conditions }, { recompute })
      return known.losses(predict, { x0, timesteps, noise })
    },
    learned: (history, { timesteps }, losses) =>
      history === null ? null : updateLossHistory(history, timesteps, losses),
  }
}

/** `denoising` of a class-conditional DiT: what the paper trains. */
export function classConditional(
  config: DiTConfig,
  process: ProcessSpec = {},
  options: DenoisingOptions = {},
): DenoisingObjective<DiTSpec, CompleteProcess> {
  return denoising(dit(config), process, options)
}

function checkOutputs(
  { outputsPerChannel, inputShape: [channels] }: Network,
  { outputsPerChannel: needed }: Process,
): void {
  if (outputsPerChannel !== 1 && outputsPerChannel !== 2) {
    throw new RangeError(`denoising: outputsPerChannel of a network must be 1 or 2 (got ${String(outputsPerChannel)})`)
  }
  if (outputsPerChannel === needed) return
  const advice =
    needed === 2
      ? "give it outputsPerChannel 2 (a DiT: learnSigma true), or the process varianceType 'fixedSmall'"
      : 'give it outputsPerChannel 1 (a DiT: learnSigma false)'
  throw new RangeError(
    `denoising: the network has ${outputsPerChannel * channels} output channels, but the process needs ${needed * channels}${needed === 2 ? ', half of them for the variance' : ''}; ${advice}`,
  )
}

/** Timesteps of the process where losses are remembered for each, else null. */
function checkSampler(timestepSampler: TimestepSampler, process: Process): number | null {
  if (timestepSampler === 'uniform') return null
  if (timestepSampler !== 'lossSecondMoment') {
    throw new RangeError(
      `denoising: timestepSampler must be uniform or lossSecondMoment (got ${timestepSampler as string})`,
    )
  }
  if (!isGaussian(process)) {
    throw new RangeError('denoising: lossSecondMoment remembers losses by timestep, which a flow does not have')
  }
  return process.diffusion.numTimesteps
}

function isGaussian(process: Process): process is GaussianProcess {
  return 'diffusion' in process
}

/** Throws unless a batch holds x0 of the network's shape. */
export function checkPictures({ inputShape }: Pick<Network, 'inputShape'>, { arrays }: TrainBatch): void {
  const { data, shape } = arrays.x0 ?? {}
  if (!(data instanceof Float32Array)) throw new TypeError('train: a batch must hold x0, a Float32Array')
  if (shape.length !== 3 || inputShape.some((extent, i) => shape[i] !== extent)) {
    throw new RangeError(
      `train: x0 must hold examples of [${inputShape.join(', ')}] (got examples of [${shape.join(', ')}])`,
    )
  }
}
