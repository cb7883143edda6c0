import { placesOf, type PictureSet } from './picture-set.js'

/** Pictures that are read at a time. */
const PART = 256

/** Some pictures of a set, in the order given, as a set. */
export function restrictSet(set: PictureSet, places: ArrayLike<number>): PictureSet {
  const chosen = Uint32Array.from(places)
  const own = (indices: ArrayLike<number>) => Uint32Array.from(indices, (index) => chosen[index])
  const read = (indices: ArrayLike<number>) => set.read(own(indices))
  const { labels, files } = set
  return {
    ...set,
    count: chosen.length,
    labels: labels === null ? null : Int32Array.from(chosen, (place) => labels[place]),
    files: files === null ? null : Array.from(chosen, (place) => files[place]),
    partSize: PART,
    async *readParts(numbers) {
      for (const number of numbers) yield { number, pictures: await read(placesOf(number, PART, chosen.length)) }
    },
    read,
  }
}

/**
 * The pictures of some classes, with those classes only.
 *
 * @throws RangeError for a class that the set does not have
 */
export function restrictClasses(set: PictureSet, classes: readonly string[]): PictureSet {
  const { labels, classNames, name } = set
  if (labels === null) throw new RangeError(`evaluate: classes of ${name} are not known, so none can be chosen`)
  const missing = classes.find((one) => !classNames.includes(one))
  if (missing !== undefined)
    throw new RangeError(`evaluate: ${name} has no class ${missing}; its classes are ${classNames.join(', ')}`)
  const places = Array.from(labels.keys()).filter((place) => classes.includes(classNames[labels[place]]))
  if (places.length === 0) throw new RangeError(`evaluate: ${name} has no pictures of ${classes.join(', ')}`)
  const some = restrictSet(set, places)
  return {
    ...some,
    classNames: classes,
    labels: some.labels!.map((label) => classes.indexOf(classNames[label])),
  }
}
