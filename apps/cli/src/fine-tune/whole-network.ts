import type { Params } from '@dit/tensor'
import type { DistillationObjective, LowRankNetwork, Objective } from '@dit/train-ddp'
import type { PreparedRun } from '../run/prepare-training.js'

/** Parameters of the whole network that a run trains, of the trained ones: with adapters applied, where those are trained. */
export function wholeNetwork(objective: Objective, trained: Params): { readonly params: Params; dispose(): void } {
  const network = lowRankOf(objective)
  return network === null ? { params: trained, dispose() {} } : network.compose(trained)
}

/** The weights that a run begins with on this worker, on the engine; null where it begins with none. */
export function startingWeights({ initial, objective }: Pick<PreparedRun, 'initial' | 'objective'>): Params | null {
  return initial ?? lowRankOf(objective)?.base ?? (objective as Partial<DistillationObjective>).teacher ?? null
}

function lowRankOf(objective: Objective): LowRankNetwork | null {
  const { network } = objective as { network?: Partial<LowRankNetwork> }
  return network?.compose === undefined ? null : (network as LowRankNetwork)
}
