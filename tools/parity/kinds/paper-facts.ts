import { countedNetwork, ditConfig, type DiTConfig } from '@dit/model'
import { countMultiplyAdds, countParameters } from '@dit/scaling'
import type { Config } from '../manifest.js'
import type { KindRunner } from '../outcome.js'

/** The four conditionings of the paper: what XL/2 costs with each, by closed forms to the last digit and as the paper prints it. */
export const paperFacts: KindRunner = async ({ facts = {} }, _fixture, outcome) => {
  for (const [block, want] of Object.entries<Config>(facts)) {
    const network = countedNetwork(ditConfig('DiT-XL/2', { block: block as DiTConfig['block'] }))
    const { multiplyAdds } = countMultiplyAdds(network)
    const { trainable } = countParameters(network)
    outcome.fact(`${block}: multiply-adds`, multiplyAdds === want.own_count_multiply_adds)
    outcome.fact(`${block}: parameters`, trainable === want.own_count_parameters)
    outcome.fact(`${block}: the paper's Gflops`, Math.abs(multiplyAdds / 1e9 - want.gflops) < 0.05)
    outcome.fact(`${block}: the paper's parameters`, Math.abs(trainable / 1e6 - want.params_M) < 0.5)
  }
}
