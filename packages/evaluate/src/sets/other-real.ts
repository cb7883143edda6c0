import { permutation, randomStream } from '@dit/random'
import { classCounts, type PictureSet } from './picture-set.js'
import { restrictSet } from './restrict.js'

/**
 * As many training pictures as there are samples, drawn by the seed, to stand for samples in floors. Where classes are known, they are as
 * frequent as among the real pictures: otherwise a floor would measure how the classes of the two sets differ. Null where halves of the
 * real pictures are more, or no real picture is there.
 */
export function otherReal(
  real: PictureSet | null,
  training: PictureSet | null,
  numSamples: number,
  seed: number,
): PictureSet | null {
  if (real === null || training === null) return null
  const order = permutation(randomStream(seed, 'other-real'), training.count)
  const places = matchedPlaces(order, real, training, numSamples)
  if (places.length < Math.min(numSamples, Math.floor(real.count / 2))) return null
  return restrictSet(training, places.toSorted())
}

/** The first places of an order that have the classes of the real pictures, as often; as many as the rarest class allows. */
function matchedPlaces(order: Uint32Array, real: PictureSet, training: PictureSet, most: number): Uint32Array {
  if (real.labels === null || training.labels === null) return order.subarray(0, Math.min(most, order.length))
  const { labels, classNames } = training
  const has = classCounts(training)!
  const wanted = classCounts(real)!.map((count) => count / real.count)
  const own = real.classNames.map((name) => classNames.indexOf(name))
  const count = wanted.reduce(
    (least, share, label) =>
      share === 0 ? least : Math.min(least, own[label] < 0 ? 0 : Math.floor(has[own[label]] / share)),
    most,
  )
  const left = new Map(apportioned(wanted, count).map((number, label) => [own[label], number]))
  return order.filter((place) => {
    const number = left.get(labels[place]) ?? 0
    if (number > 0) left.set(labels[place], number - 1)
    return number > 0
  })
}

/** Whole numbers in proportion to shares, whose sum is `count`: the largest remainders are rounded up. */
function apportioned(shares: readonly number[], count: number): number[] {
  const numbers = shares.map((share) => Math.floor(share * count))
  const remainder = (label: number) => shares[label] * count - numbers[label]
  const rest = count - numbers.reduce((a, b) => a + b, 0)
  const order = Array.from(shares.keys()).toSorted((a, b) => remainder(b) - remainder(a) || a - b)
  for (const label of order.slice(0, rest)) numbers[label]++
  return numbers
}
