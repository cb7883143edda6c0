import { type ByteSource, readExactly } from './byte-source.js'

/** A source that may hold something open. */
export interface OpenSource extends ByteSource {
  close?(): Promise<void>
}

/** A folder of files, wherever it lies: on a disk, behind an address, in memory. Paths have slashes and begin within it. */
export interface FileTree {
  /** What messages call it. */
  readonly name: string
  /** What messages call a file of it. */
  place(path: string): string
  /**
   * Opens a file; null where there is none.
   *
   * @throws Error where it is there and cannot be read, or nobody can tell
   */
  open(path: string): Promise<OpenSource | null>
  /** Names of the files in a folder, where they can be listed. */
  list?(folder: string): Promise<readonly string[]>
  /** Whether each read is a request to a server, so that checks that read much are left to whoever loads the weights. Absent: false. */
  readonly isByRange?: boolean
}

/** JSON that is nested deeper is hostile or broken: whoever walks it, to show a value for instance, would run out of stack. */
const MAX_DEPTH = 100

/**
 * The text of a small JSON file of a folder; null where there is none.
 *
 * @throws RangeError where it has more than `maxBytes`, 1 MiB by default, is not UTF-8, or nests lists and objects deeper than 100
 */
export async function readText(tree: FileTree, path: string, maxBytes = 2 ** 20): Promise<string | null> {
  const source = await tree.open(path)
  if (source === null) return null
  try {
    const fail = (problem: string) => new RangeError(`${tree.place(path)}: ${problem}`)
    if (source.size > maxBytes) throw fail(`it must be at most ${maxBytes} bytes (it has ${source.size})`)
    const bytes = await readExactly(source, 0, source.size, fail)
    let text: string
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch (cause) {
      throw new RangeError(`${tree.place(path)}: it must be text in UTF-8`, { cause })
    }
    if (depthOf(text) > MAX_DEPTH) throw fail(`its lists and objects must be nested at most ${MAX_DEPTH} deep`)
    return text
  } finally {
    await source.close?.()
  }
}

/** How deep lists and objects are nested in a text of JSON. One pass: a regular expression would go back at a string without end. */
function depthOf(text: string): number {
  let [depth, deepest, isString] = [0, 0, false]
  for (let i = 0; i < text.length; i++) {
    const mark = text[i]
    if (isString && mark === '\\') i++
    else if (mark === '"') isString = !isString
    else if (isString) continue
    else if ('[{'.includes(mark)) deepest = Math.max(deepest, ++depth)
    else if (']}'.includes(mark)) depth--
  }
  return deepest
}
