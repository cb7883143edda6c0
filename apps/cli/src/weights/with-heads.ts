import { checkConfig, type ModelWeights } from '@dit/model'
import { checkInput, UsageError } from '../terminal/errors.js'

/**
 * Weights with the number of attention heads that was given: it changes what they mean, and no shape tells it.
 *
 * @throws UsageError where it is needed, or does not divide the width
 */
export function withHeads<T extends ModelWeights>(weights: T, heads: number | undefined): T {
  const guess = weights.assumptions.find((text) => text.includes('heads (a file does not say)'))
  if (heads === undefined) {
    if (guess !== undefined)
      throw new UsageError('--heads is needed: neither the file nor its size tells the attention heads')
    return weights
  }
  const config = { ...weights.config, numHeads: heads }
  checkInput(() => checkConfig(config))
  return { ...weights, config, assumptions: weights.assumptions.filter((text) => !text.includes('attention heads')) }
}
