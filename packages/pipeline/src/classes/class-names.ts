/** Where the names of a model's classes come from. */
export type NamesFrom = 'model' | 'id2label' | 'imagenet' | 'numbers'

/** Names of classes, in the order of their labels. */
export interface ClassNames {
  readonly from: NamesFrom
  readonly names: readonly string[]
}

/** How many classes ImageNet has: weights for as many are taken for its, where nothing else names them. */
const IMAGENET_SIZE = 1000

/**
 * The names of a model's classes: its own, or those of ImageNet where there are a thousand and nothing names them, or their numbers.
 */
export async function classNamesOf(
  numClasses: number,
  own: { readonly from: 'model' | 'id2label'; readonly names: readonly string[] } | null,
): Promise<ClassNames> {
  if (own !== null) return own
  if (numClasses !== IMAGENET_SIZE) {
    return { from: 'numbers', names: Array.from({ length: numClasses }, (_, label) => String(label)) }
  }
  // Loaded only here: the names are a tenth of what a page downloads.
  const { IMAGENET_CLASSES } = await import('./imagenet-classes.js')
  return { from: 'imagenet', names: IMAGENET_CLASSES }
}

/** What a class is called in one word: ImageNet and `id2label` list synonyms with commas between, the most usual first. */
export function shortName({ from, names }: ClassNames, label: number): string {
  const name = names[label] ?? String(label)
  return from === 'imagenet' || from === 'id2label' ? name.split(',')[0].trim() : name
}

/**
 * The names in an `id2label` of diffusers, a record from label to name. A class without one is called by its number, or `class 7` where
 * another class has the name 7.
 *
 * @param isOwn whether dit wrote it: then an empty name is one
 *
 * @throws RangeError where it is no such record, or names a class that the network does not have
 */
export function namesFromId2label(id2label: unknown, numClasses: number, isOwn = false): readonly string[] {
  if (typeof id2label !== 'object' || id2label === null || Array.isArray(id2label)) {
    throw new RangeError('id2label must be an object from label to name')
  }
  const names = Array<string>(numClasses)
  for (const [key, name] of Object.entries(id2label)) {
    const label = /^\d{1,9}$/.test(key) ? Number(key) : -1
    if (label < 0 || label >= numClasses) {
      throw new RangeError(
        `id2label names a class ${JSON.stringify(key)}, but the network has the classes 0 to ${numClasses - 1}`,
      )
    }
    if (typeof name !== 'string') throw new RangeError(`id2label must give class ${label} a text as its name`)
    if (isOwn || name.trim() !== '') names[label] = name
  }
  const given = new Set(names)
  return Array.from(names, (name, label) => name ?? (given.has(String(label)) ? `class ${label}` : String(label)))
}
