import type { Case } from '../manifest.js'
import type { KindRunner } from '../outcome.js'
import { timeSampling } from './flow-extras.js'
import { ode } from './flow-sampling.js'

/** What tells the cases of this kind apart, since their names may be any. */
const runners: readonly (readonly [is: (entry: Case) => boolean, run: KindRunner])[] = [
  [({ config }) => config.logit !== undefined, timeSampling],
  [({ config }) => config.ode !== undefined, ode],
]

/** Extras of training and sampling: time sampling, shifted grids. */
export const trainingExtras: KindRunner = async (entry, fixture, outcome, folder) => {
  const found = runners.find(([is]) => is(entry))
  if (found === undefined) throw new Error(`the runner does not know a case like ${entry.name}`)
  await found[1](entry, fixture, outcome, folder)
}
