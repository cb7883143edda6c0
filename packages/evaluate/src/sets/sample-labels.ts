import { integers, permutation, randomStream } from '@dit/random'
import type { PictureSet } from './picture-set.js'

/** What samples are drawn for. */
export interface SampleLabelsOptions {
  readonly count: number
  readonly seed: number
  readonly modelName: string
  /** The only ones that are sampled where real classes are not known; otherwise the real pictures have no others. */
  readonly classes?: readonly string[]
}

/**
 * Class of each sample: those of the real pictures in an order that the seed draws, so that classes are as frequent as there. Where real
 * classes are not known, the chosen ones, or all, are drawn at random.
 *
 * @param classNames of the model
 * @throws RangeError where the model lacks a class of the real pictures, or one that was chosen
 */
export function sampleLabels(
  classNames: readonly string[],
  real: Pick<PictureSet, 'name' | 'labels' | 'classNames'> | null,
  { count, seed, modelName, classes = classNames }: SampleLabelsOptions,
): Int32Array {
  if (classNames.length <= 1) return new Int32Array(count)
  if (real === null || real.labels === null) {
    const unknown = classes.find((name) => !classNames.includes(name))
    if (unknown !== undefined) {
      throw new RangeError(
        `evaluate: ${modelName} has no class ${unknown}; the classes of the model are ${classNames.join(', ')}`,
      )
    }
    const drawn = integers(randomStream(seed, 'sample-labels'), classes.length, count)
    return Int32Array.from(drawn, (place) => classNames.indexOf(classes[place]))
  }
  const { labels } = real
  const own = real.classNames.map((name) => classNames.indexOf(name))
  const missing = real.classNames.filter((_, label) => own[label] < 0)
  if (missing.length > 0) {
    throw new RangeError(
      `evaluate: ${modelName} has no class ${missing.join(', ')}, which ${real.name} has; the classes of the model are ` +
        `${classNames.join(', ')}. Choose classes that both have`,
    )
  }
  const order = permutation(randomStream(seed, 'sample-labels'), labels.length)
  return Int32Array.from({ length: count }, (_, i) => own[labels[order[i % order.length]]])
}
