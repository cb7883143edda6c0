import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isTaken, MOST_NUMBERS, withNumber } from '../samples/outputs.js'
import { UsageError } from '../terminal/errors.js'

/**
 * Path of a drawing's files without their endings: what exists is kept, and the new files have a number (`plot-2.svg`), unless `force`
 * overwrites it. A folder gets them under the usual name.
 *
 * @param usual where they go without `out`
 * @throws UsageError where no number is free
 */
export async function plotPlace(
  out: string | undefined,
  usual: { folder: string; name: string },
  force: boolean,
): Promise<string> {
  const base = await asked(out, usual)
  if (force) return base
  for (let number = 1; number <= MOST_NUMBERS; number++) {
    const [svg, png] = ['svg', 'png'].map((ending) => withNumber(`${base}.${ending}`, number))
    if (!(await isTaken(svg)) && !(await isTaken(png))) return svg.slice(0, -'.svg'.length)
  }
  throw new UsageError(`${base}.svg: too many files of this name exist; give another name with --out, or --force`)
}

async function asked(out: string | undefined, { folder, name }: { folder: string; name: string }): Promise<string> {
  if (out === undefined) return join(folder, name)
  const found = await stat(out).catch(() => null)
  return found?.isDirectory() ? join(out, name) : out.replace(/\.(svg|png)$/i, '')
}
