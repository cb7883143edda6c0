import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Removes what earlier weights left under the names of `path`: the file or the index, whichever was not written now, and shards of
 * another number. A reader would take them for the new ones.
 */
export async function removeOthers(path: string, written: readonly { readonly path: string }[]): Promise<void> {
  const isOne = written.length === 1 && written[0].path === path
  const base = basename(path, '.safetensors')
  const kept = new Set(written.map((file) => basename(file.path)))
  if (!isOne) kept.add(basename(`${path}.index.json`))
  for (const name of await readdir(dirname(path))) {
    const rest = name.startsWith(base) ? name.slice(base.length) : ''
    const isOurs = /^(-\d{5}-of-\d{5})?\.safetensors$/.test(rest) || rest === '.safetensors.index.json'
    if (isOurs && !kept.has(name)) await rm(join(dirname(path), name), { force: true })
  }
}
