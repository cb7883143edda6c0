import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { formatBytes } from '../terminal/format.js'

/** Says how large the folder is that samples and features are kept in. */
export async function cacheLine(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => [])
  // A file that another evaluation has just replaced is not counted.
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(folder, name)).catch(() => null))?.size ?? 0),
  )
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  return `kept   ${formatBytes(bytes)} of samples and features in ${folder} for the next evaluation; it may be deleted`
}
