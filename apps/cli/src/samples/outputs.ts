import { readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { checkWritable } from '../run/run-folder.js'
import { UsageError } from '../terminal/errors.js'
import type { SampleFlags } from './sample-settings.js'

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

/** Numbers that are tried for the name of an output. */
export const MOST_NUMBERS = 100_000

/**
 * Where samples go: what exists is kept, and the new file has a number in its name (`samples-2.png`), unless `--force` overwrites it.
 *
 * @param folder of the grid where `--out` is absent
 * @param isShown whether the samples are pictures
 * @throws UsageError for an output that cannot be written, or that would overwrite another
 */
export async function resolveOutputs(flags: SampleFlags, folder: string, isShown: boolean): Promise<Outputs> {
  const asked = flags.out ?? join(folder, 'samples.png')
  if (isShown && !/\.png$/i.test(asked)) {
    throw new UsageError(`--out ${asked}: the grid is a PNG, so its name must end in .png`)
  }
  const wanted = placesOf(flags, asked, isShown)
  const chosen = flags.force === true ? wanted : await numbered(flags, asked, isShown)
  await checkOutputs(chosen)
  return chosen
}

/** The places of all outputs, those without a path of their own beside the grid. */
function placesOf(flags: SampleFlags, out: string, isShown: boolean): Outputs {
  const base = out.slice(0, -'.png'.length)
  const place = (flag: boolean | string | undefined, fallback: string) =>
    flag === undefined || flag === false ? null : flag === true ? fallback : flag
  return {
    out: isShown ? out : null,
    preview: flags.preview === true ? `${base}.preview.png` : null,
    npz: place(flags.npz, `${base}.npz`),
    singles: place(flags.singles, base),
    latents: flags.latents ?? null,
    trajectory: flags.trajectory ?? null,
  }
}

/** The first places that are free: the grid and what lies beside it get one number, other paths their own. */
async function numbered(flags: SampleFlags, asked: string, isShown: boolean): Promise<Outputs> {
  for (let number = 1; number <= MOST_NUMBERS; number++) {
    const places = placesOf(flags, withNumber(asked, number), isShown)
    const beside = [places.out, flags.npz === true ? places.npz : null, flags.singles === true ? places.singles : null]
    if (await anyTaken(beside)) continue
    return {
      ...places,
      npz: typeof flags.npz === 'string' ? await free(flags.npz) : places.npz,
      singles: typeof flags.singles === 'string' ? await free(flags.singles) : places.singles,
      latents: places.latents === null ? null : await free(places.latents),
      trajectory: places.trajectory === null ? null : await free(places.trajectory),
    }
  }
  throw new UsageError(`--out ${asked}: too many files of this name exist; give another name, or --force`)
}

async function free(path: string): Promise<string> {
  for (let number = 1; number <= MOST_NUMBERS; number++) {
    const place = withNumber(path, number)
    if (!(await isTaken(place))) return place
  }
  throw new UsageError(`${path}: too many files of this name exist; give another name, or --force`)
}

async function anyTaken(places: readonly (string | null)[]): Promise<boolean> {
  for (const place of places) if (place !== null && (await isTaken(place))) return true
  return false
}

/** A file is in the way, or a folder with something in it; a device or a pipe takes whatever is written. */
export async function isTaken(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  if (found === null) return false
  if (found.isDirectory()) return (await readdir(path).catch(() => [])).length > 0
  return found.isFile()
}

/** `samples.png` -> `samples-2.png`; the first has no number. */
export function withNumber(path: string, number: number): string {
  return number === 1 ? path : path.replace(/(\.\w+)?$/, `-${number}$1`)
}

/**
 * Checks that every output can be written, and that none would overwrite another.
 *
 * @throws UsageError that names the flag and the path
 */
async function checkOutputs({ out, preview, npz, singles, latents, trajectory }: Outputs): Promise<void> {
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
    if (other !== undefined) throw new UsageError(`${what} ${path}: ${other} has the same path; give a different one`)
    taken.set(resolve(path), what)
  }
}

async function checkFile(flag: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory() === true) throw new UsageError(`${flag} ${path}: this is a folder; give a file`)
  await checkWritable(flag, dirname(path))
}
