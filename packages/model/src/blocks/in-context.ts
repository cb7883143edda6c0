import { add, scope } from '@dit/tensor'
import { attentionParameters, selfAttention } from '../parts/attention.js'
import { mlp, mlpParameters } from '../parts/mlp.js'
import { affineNorm, LAYER_NORM_EPSILON, normParameters } from '../parts/norm.js'
import type { Block } from './block.js'

/**
 * In-context conditioning: a plain transformer block, in which the timestep and the label, or conditions, stand among the tokens.
 *
 *   x = x + attention(norm(x))
 *   x = x + mlp(norm(x))
 *
 * The norms have trained scales and shifts: with them, the parameters are as many as the paper says.
 *
 * Peebles & Xie 2022, section 3.2 ("In-context conditioning").
 */
export const inContext: Block = {
  parameters: (config, numTokens) => ({
    ...normParameters(config, 'norm1', config.hiddenSize, true),
    ...normParameters(config, 'norm2', config.hiddenSize, true),
    ...attentionParameters(config, numTokens),
    ...mlpParameters(config, numTokens),
  }),

  numScores: (numTokens) => numTokens ** 2,

  apply: (x, { rotation, keyBias }, param, config, trace) =>
    scope(() => {
      const toMix = affineNorm(x, config, param, 'norm1', LAYER_NORM_EPSILON) // [B, N, D]
      trace('norm1', toMix)
      const between = add(x, selfAttention(toMix, rotation, param, config, trace, keyBias)) // [B, N, D]
      const toMlp = affineNorm(between, config, param, 'norm2', config.mlpNormEpsilon ?? LAYER_NORM_EPSILON)
      trace('norm2', toMlp)
      const hidden = mlp(toMlp, param, config) // [B, N, D]
      trace('mlp', hidden)
      const out = add(between, hidden) // [B, N, D]
      trace('', out)
      return out
    }),
}
