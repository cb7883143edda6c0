/** What the metadata of a file of conditions say. */
export interface ConditionsMetadata {
  /** Path of each row's picture; null where they do not say. */
  readonly files: readonly string[] | null
  /** Classes of labels by name, where they are said. */
  readonly classes: ReadonlyMap<string, number>
}

/**
 * Reads `files`, a JSON list of different paths, and `classes`, a JSON object of numbers by name.
 *
 * @param fail throws, with the text given
 */
export function metadataOf(
  metadata: Readonly<Record<string, string>>,
  fail: (text: string) => never,
): ConditionsMetadata {
  const json = (key: string): unknown => {
    if (metadata[key] === undefined) return undefined
    try {
      return JSON.parse(metadata[key])
    } catch {
      return fail(`the metadata "${key}" must be JSON (got ${JSON.stringify(metadata[key].slice(0, 40))})`)
    }
  }
  return { files: filesOf(json('files'), fail), classes: classesOf(json('classes'), fail) }
}

function filesOf(value: unknown, fail: (text: string) => never): readonly string[] | null {
  if (value === undefined) return null
  if (!Array.isArray(value) || !value.every((file): file is string => typeof file === 'string')) {
    return fail('the metadata "files" must be a JSON list of paths')
  }
  const seen = new Set<string>()
  for (const file of value) {
    if (seen.has(file)) fail(`the metadata "files" name ${file} twice; a picture has one row`)
    seen.add(file)
  }
  return value
}

function classesOf(value: unknown, fail: (text: string) => never): ReadonlyMap<string, number> {
  if (value === undefined) return new Map()
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : null
  if (entries === null || !entries.every(([, count]) => Number.isSafeInteger(count) && Number(count) > 0)) {
    return fail('the metadata "classes" must be a JSON object of numbers of classes, such as {"style": 10}')
  }
  return new Map(entries as [string, number][])
}
