import type { Case } from '../manifest.js'
import type { KindRunner } from '../outcome.js'
import { edmLosses, edmPreconditioningCase } from './edm-training.js'
import { edmSampling } from './edm-sampling.js'
import { timeSampling } from './flow-extras.js'
import { ode } from './flow-sampling.js'
import { muonSteps } from './muon.js'
import { cfgRescale } from './guidance.js'
import { emaSchedules, posthocEma } from './averages.js'
import { minSnr, p2 } from './loss-weights.js'

/** What tells the cases of this kind apart, since their names may be any. */
const runners: readonly (readonly [is: (entry: Case) => boolean, run: KindRunner])[] = [
  [({ config }) => config.gammas !== undefined, minSnr],
  [({ config }) => config.settings !== undefined, p2],
  [({ config }) => config.phi !== undefined, cfgRescale],
  [({ config }) => config.sampler !== undefined, edmSampling],
  [({ config }) => config.EDMLoss !== undefined, edmLosses],
  [({ config }) => config.ns_steps !== undefined, muonSteps],
  [({ config }) => config.in_std !== undefined, posthocEma],
  [({ facts }) => facts?.[0]?.decay_after_step !== undefined, emaSchedules],
  [({ tensors }) => tensors?.some(({ name }) => name === 'in.F') ?? false, edmPreconditioningCase],
  [({ config }) => config.logit !== undefined, timeSampling],
  [({ config }) => config.ode !== undefined, ode],
]

/** Extras of training and sampling: loss weights, EDM, guidance, time sampling, shifted grids. */
export const trainingExtras: KindRunner = async (entry, fixture, outcome, folder) => {
  const found = runners.find(([is]) => is(entry))
  if (found === undefined) throw new Error(`the runner does not know a case like ${entry.name}`)
  await found[1](entry, fixture, outcome, folder)
}
