import type { FeatureExtractor } from '@dit/features'
import { DEFAULTS, type EvaluateOptions, type ReferenceStatistics } from './options.js'
import { classCounts, type PictureSet } from './sets/picture-set.js'

/** @throws RangeError for a number that is out of range */
export function checkNumbers(
  { count, k = DEFAULTS.k, batchSize = DEFAULTS.batchSize, seed = 0 }: EvaluateOptions,
  { numResamples, level }: { readonly numResamples: number; readonly level: number },
): void {
  const least = { count: 2, k: 1, batchSize: 1, seed: 0, numResamples: 0 }
  for (const [name, value] of Object.entries({ count: count ?? 2, k, batchSize, seed, numResamples })) {
    const min = least[name as keyof typeof least]
    if (!Number.isSafeInteger(value) || value < min)
      throw new RangeError(`evaluate: ${name} must be an integer of at least ${min} (got ${value})`)
  }
  if (numResamples === 1)
    throw new RangeError('evaluate: numResamples must be 0, for no intervals, or at least 2 (got 1)')
  if (!(level > 0 && level < 1)) throw new RangeError(`evaluate: level must lie between 0 and 1 (got ${level})`)
}

/** @throws RangeError for statistics of other features */
export function checkReference(
  { statistics: { pooled }, madeWith }: ReferenceStatistics,
  {
    extractor,
    layer,
    width,
    name = 'the statistics',
  }: { extractor: FeatureExtractor; layer: string; width: number; name?: string },
): void {
  if (madeWith !== undefined && madeWith.fingerprint !== extractor.fingerprint) {
    throw new RangeError(
      `evaluate: ${name} was made with the extractor ${madeWith.name}, and this one is ${extractor.name}` +
        `${madeWith.name === extractor.name ? ' with other weights' : ''}; features of two extractors must not be mixed`,
    )
  }
  if (madeWith !== undefined && madeWith.layer !== layer) {
    throw new RangeError(
      `evaluate: ${name} was made at layer ${madeWith.layer}, and this is ${layer}; features of two layers must not be mixed`,
    )
  }
  if (pooled.mean.length !== width) {
    throw new RangeError(
      `evaluate: ${name} is of features of ${pooled.mean.length} numbers, and layer ${layer} of ${extractor.name} has ${width}; ` +
        'it was made with another extractor or layer',
    )
  }
}

/** @throws RangeError for a class without a picture */
export function checkClassesFilled(set: PictureSet): void {
  const empty = set.classNames.filter((_, label) => classCounts(set)![label] === 0)
  if (empty.length === 0) return
  const [has, them] = empty.length === 1 ? ['has', 'it'] : ['have', 'them']
  throw new RangeError(
    `evaluate: ${empty.length} of ${set.classNames.length} classes ${has} no picture in ${set.name}: ${empty.join(', ')}. ` +
      `Nothing can be said of ${them}: add real pictures, or choose the other classes`,
  )
}
