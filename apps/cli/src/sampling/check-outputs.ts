import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { checkWritable } from '../run/run-folder.js'
import { UsageError } from '../terminal/errors.js'

/** Where samples go; null for what is not written. */
export interface Outputs {
  readonly out: string | null
  readonly preview: string | null
  readonly npz: string | null
  /** A folder. */
  readonly singles: string | null
  readonly latents: string | null
  readonly trajectory: string | null
}

/**
 * Checks that every output can be written, and that none would overwrite another.
 *
 * @throws UsageError that names the flag and the path
 */
export async function checkOutputs({ out, preview, npz, singles, latents, trajectory }: Outputs): Promise<void> {
  if (out !== null) await checkFile('--out', out)
  if (latents !== null) await checkFile('--latents', latents)
  if (trajectory !== null) await checkFile('--trajectory', trajectory)
  if (npz !== null) await checkFile('--npz', npz)
  checkApart({
    '--out': out,
    'the preview': preview,
    '--npz': npz,
    '--singles': singles,
    '--latents': latents,
    '--trajectory': trajectory,
  })
  if (singles !== null) await checkWritable('--singles', singles)
}

function checkApart(places: Readonly<Record<string, string | null>>): void {
  const taken = new Map<string, string>()
  for (const [what, path] of Object.entries(places)) {
    if (path === null) continue
    const other = taken.get(resolve(path))
    if (other !== undefined) throw new UsageError(`${what} ${path}: ${other} has the same path; give another one`)
    taken.set(resolve(path), what)
  }
}

async function checkFile(flag: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory() === true) throw new UsageError(`${flag} ${path}: it is a folder, not a file`)
  await checkWritable(flag, dirname(path))
}
