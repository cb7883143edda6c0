import { flowProcess, type FlowMatching, type FlowMatchingOptions, type Process } from '@dit/diffusion'
import { randomStream } from '@dit/random'
import { randomNormal, type Tensor } from '@dit/tensor'
import { batchTensor } from '../batch.js'
import { checkPictures } from './denoising.js'
import type { Network } from './network.js'
import type { Objective } from './objective.js'

/** What `denoisingBy` gives: an objective that also says what it is made of. */
export interface ProcessObjective extends Objective<null> {
  readonly network: Network
  readonly process: Process
}

/**
 * Training of a network that removes noise, by any `Process`: a flow, or one of your own. Streams and conditions are those of
 * `denoising`: timesteps are stream `timesteps` of the seed and step, noise is stream `noise`.
 *
 * @param process     what is drawn and minimised
 * @param processSpec what fixes the process: plain data, kept in checkpoints
 * @throws RangeError where the network's output does not fit the process, or it knows whole timesteps only and these are not
 *
 * @example
 * denoisingBy(dit(config), flowProcess(options), { kind: 'flow', ...options })
 */
export function denoisingBy(
  network: Network & { readonly spec: object },
  process: Process,
  processSpec: object,
): ProcessObjective {
  checkFit(network, process)
  return {
    spec: { kind: 'denoisingBy', network: network.spec, process: processSpec },
    network,
    process,
    parameters: network.parameters,
    blocks: network.blocks,
    terms: process.terms,
    init: (options) => network.init(options),
    checkBatch(batch) {
      checkPictures(network, batch)
      network.conditions(batch, null)
    },
    draw: (_state, { seed, step, batchSize }) => ({
      timesteps: process.draw(randomStream(seed, 'timesteps', step), batchSize),
      importanceWeights: new Float32Array(batchSize).fill(1),
    }),
    losses(params, batch, { timesteps }, { seed, step, start, recompute, backend }) {
      const x0 = batchTensor(batch, 'x0', backend) // [B, C, H, W]
      const stream = randomStream(seed, 'noise', step)
      const noise = randomNormal(x0.shape, stream, { backend, start: (start * x0.size) / batch.count })
      const conditions = network.conditions(batch, { seed, step, start })
      const predict = (xt: Tensor, told: ArrayLike<number>) =>
        network.forward(params, { xt, timesteps: told, conditions }, { recompute })
      return process.losses(predict, { x0, timesteps, noise })
    },
  }
}

/**
 * Flow matching of a network: `denoisingBy` a `flowProcess`. Without `outputsPerChannel` it is that of the network, whose second
 * half then plays no part.
 *
 * @throws RangeError for settings that cannot be; as `denoisingBy`
 *
 * @example
 * flowDenoising(dit({ ...config, learnSigma: false }), { times: { law: 'logitNormal' } })
 *
 * Lipman et al. 2023, "Flow Matching for Generative Modeling".
 */
export function flowDenoising(
  network: Network & { readonly spec: object },
  options: FlowMatchingOptions = {},
): ProcessObjective & { readonly settings: FlowMatching } {
  const process = flowProcess({ outputsPerChannel: network.outputsPerChannel, ...options })
  const { settings } = process
  const { family: kind, ...rest } = settings
  return { ...denoisingBy(network, process, { kind, ...rest }), settings }
}

function checkFit({ outputsPerChannel, knowsWholeTimestepsOnly = false }: Network, process: Process): void {
  if (outputsPerChannel !== process.outputsPerChannel) {
    throw new RangeError(
      `denoisingBy: the network must have ${process.outputsPerChannel} output channels for each input channel (it has ${outputsPerChannel})`,
    )
  }
  if (knowsWholeTimestepsOnly && process.draw(randomStream(0), 1) instanceof Float32Array) {
    throw new RangeError('denoisingBy: the network knows whole timesteps only, but those of the process are not whole')
  }
}
