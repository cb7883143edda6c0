import type { ModelInMemory } from '@dit/pipeline'
import type { Params } from '@dit/tensor'
import type { Objective } from '@dit/train-ddp'
import { wholeNetwork } from '../fine-tune/whole-network.js'
import { denoisingOrNull, type ModuleSpec } from '../run/objective-config.js'
import { requireDenoising, sampledProcess } from '../run/own-objective.js'
import type { RunConfig } from '../run/run-config.js'

/** The model of a run while it trains. */
export interface TrainedModel {
  readonly model: ModelInMemory
  /** Gives back what was made for it; the trained parameters stay. */
  dispose(): void
}

/**
 * The model that parameters of a run are, to be sampled: a DiT, with adapters applied where those are trained, or the network of a module.
 *
 * @param what needs it, for messages
 * @throws UsageError for an objective that cannot be sampled
 */
export function trainedModel(config: RunConfig, objective: Objective, trained: Params, what: string): TrainedModel {
  const classNames = config.classes
  const denoising = denoisingOrNull(config)
  if (denoising === null) {
    const own = requireDenoising(objective, (config.objective as ModuleSpec).module, what)
    const model = { network: own.network, process: sampledProcess(own), params: trained, classNames, name: 'the run' }
    return { model, dispose() {} }
  }
  const { model: network, process } = denoising
  const whole = wholeNetwork(objective, trained)
  const model = { network, process, params: whole.params, classNames, name: 'the run' }
  return { model, dispose: () => whole.dispose() }
}
