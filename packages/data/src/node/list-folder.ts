import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type FolderRules, isPictureName, isVisible } from './file-kinds.js'

/** Something in a folder. */
export interface Entry {
  readonly name: string
  readonly isFolder: boolean
  readonly isFile: boolean
  readonly isLink: boolean
}

/** What a folder holds, sorted by character code; links count as what they lead to. */
export async function visibleEntries(folder: string, rules: FolderRules, onHidden = () => {}): Promise<Entry[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  // macOS writes a `._` file beside each picture on other systems' drives.
  for (const { name } of entries) if (/^\.[^_]/.test(name) && isPictureName(name, rules)) onHidden()
  const resolved = await Promise.all(
    entries
      .filter(({ name }) => isVisible(name, rules))
      .map(async (entry) => {
        const isLink = entry.isSymbolicLink()
        const target = isLink ? await stat(join(folder, entry.name)).catch(() => entry) : entry
        return { name: entry.name, isFolder: target.isDirectory(), isFile: target.isFile(), isLink }
      }),
  )
  return resolved.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
