/** A member's place in a sample of WebDataset. */
export interface SampleKey {
  /** what the files of one sample have in common */
  readonly key: string
  /** which of them it is, in lower case: `jpg`, `cls`, `seg.png` */
  readonly field: string
}

/**
 * Splits a member's name as WebDataset does: the key goes up to the first dot after the last slash.
 *
 * @returns null for names without a dot, and where nothing is before it
 */
export function sampleKey(name: string): SampleKey | null {
  const slash = name.lastIndexOf('/')
  const dot = name.indexOf('.', slash + 1)
  if (dot <= slash + 1) return null
  return { key: name.slice(0, dot), field: name.slice(dot + 1).toLowerCase() }
}
