import { readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { checkWritable } from '../run/run-folder.js'
import { UsageError } from '../terminal/errors.js'
import { checkDraftFree, isDevice } from './array-file.js'
import { findProgress, type JobRecord } from './progress-folder.js'
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

/** Where samples go, and what is there of them. */
export interface Place {
  readonly outputs: Outputs
  /** The number in the name of each output with a path of its own. */
  readonly numbers: Readonly<Record<string, number>>
  /** The output beside which progress is kept; null where a stopped command leaves nothing. */
  readonly anchor: string | null
  /** What was begun there. */
  readonly begun: JobRecord | null
}

/**
 * Where samples go: what exists is kept, and the new file has a number in its name (`samples-2.png`), unless `--force` overwrites it. What a
 * stopped command has begun has its number already.
 *
 * @param folder of the grid where `--out` is absent
 * @param isShown whether the samples are pictures
 * @throws UsageError for an output that cannot be written, or that would overwrite another
 */
export async function resolveOutputs(flags: SampleFlags, folder: string, isShown: boolean): Promise<Place> {
  const asked = flags.out ?? join(folder, 'samples.png')
  if (isShown && !/\.png$/i.test(asked)) {
    throw new UsageError(`--out ${asked}: the grid is a PNG, so its name must end in .png`)
  }
  const place = await placeOf(flags, asked, isShown)
  await checkOutputs(place.outputs)
  await checkDrafts(place)
  return place
}

async function placeOf(flags: SampleFlags, asked: string, isShown: boolean): Promise<Place> {
  const wanted = { outputs: placesOf(flags, asked, isShown), numbers: {} }
  const anchor = await anchorOf(wanted.outputs)
  if (flags.force === true) return { ...wanted, anchor, begun: anchor === null ? null : await findProgress(anchor) }
  const isTakenAt = (number: number) =>
    anchor === wanted.outputs.out
      ? anyTaken(besideGrid(flags, withNumber(asked, number), isShown))
      : isTaken(withNumber(anchor!, number))
  const begun = anchor === null ? null : await firstBegun(anchor, isTakenAt)
  if (begun !== null) {
    const { outputs } = numberedBy(begun.record.numbers, flags, asked, isShown)
    return { outputs, numbers: begun.record.numbers, anchor: begun.anchor, begun: begun.record }
  }
  const chosen = await numbered(flags, asked, isShown)
  return { ...chosen, anchor: await anchorOf(chosen.outputs), begun: null }
}

/** The output that gives the folder of progress its name: the first that is a file. What goes into a device is not continued. */
async function anchorOf({ out, singles, npz, latents, trajectory }: Outputs): Promise<string | null> {
  const arrays = [latents, npz, trajectory].filter((path) => path !== null)
  if (singles === null && arrays.length === 0) return null
  for (const path of arrays) if (await isDevice(path)) return null
  for (const path of [out, ...arrays, singles]) if (path !== null && !(await isDevice(path))) return path
  return null
}

/** The first that was begun and not finished among an output and its numbered names, as far as these are taken. */
async function firstBegun(
  path: string,
  isTakenAt: (number: number) => Promise<boolean>,
): Promise<{ readonly anchor: string; readonly record: JobRecord } | null> {
  for (let number = 1; number <= MOST_NUMBERS; number++) {
    const anchor = withNumber(path, number)
    const record = await findProgress(anchor)
    if (record !== null) return { anchor, record }
    if (!(await isTakenAt(number))) return null
  }
  return null
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
async function numbered(
  flags: SampleFlags,
  asked: string,
  isShown: boolean,
): Promise<Pick<Place, 'outputs' | 'numbers'>> {
  for (let number = 1; number <= MOST_NUMBERS; number++) {
    if (await anyTaken(besideGrid(flags, withNumber(asked, number), isShown))) continue
    const numbers: Record<string, number> = { out: number }
    for (const key of ['npz', 'singles', 'latents', 'trajectory'] as const) {
      const own = flags[key]
      if (typeof own === 'string') numbers[key] = await freeNumber(own)
    }
    return numberedBy(numbers, flags, asked, isShown)
  }
  throw new UsageError(`--out ${asked}: too many files of this name exist; give another name, or --force`)
}

/** The grid, and what has its name. */
function besideGrid(flags: SampleFlags, asked: string, isShown: boolean): (string | null)[] {
  const { out, npz, singles } = placesOf(flags, asked, isShown)
  return [out, flags.npz === true ? npz : null, flags.singles === true ? singles : null]
}

/** The places that have these numbers. */
function numberedBy(
  numbers: Place['numbers'],
  flags: SampleFlags,
  asked: string,
  isShown: boolean,
): Pick<Place, 'outputs' | 'numbers'> {
  const places = placesOf(flags, withNumber(asked, numbers.out ?? 1), isShown)
  const own = (key: 'npz' | 'singles' | 'latents' | 'trajectory') => {
    const path = flags[key]
    return typeof path === 'string' ? withNumber(path, numbers[key] ?? 1) : places[key]
  }
  const outputs = {
    ...places,
    npz: own('npz'),
    singles: own('singles'),
    latents: own('latents'),
    trajectory: own('trajectory'),
  }
  return { outputs, numbers }
}

async function freeNumber(path: string): Promise<number> {
  for (let number = 1; number <= MOST_NUMBERS; number++) if (!(await isTaken(withNumber(path, number)))) return number
  throw new UsageError(`${path}: too many files of this name exist; give another name, or --force`)
}

async function anyTaken(places: readonly (string | null)[]): Promise<boolean> {
  for (const place of places) if (place !== null && (await isTaken(place))) return true
  return false
}

/** A file is in the way, begun or whole, or a folder with something in it; a device or a pipe takes whatever is written. */
export async function isTaken(path: string): Promise<boolean> {
  if ((await findProgress(path)) !== null) return true
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

/** Checks that nothing lies where arrays are written first, but for what was begun there. */
async function checkDrafts({ outputs, anchor, begun }: Place): Promise<void> {
  if (anchor === null || begun !== null) return
  for (const key of ['npz', 'latents', 'trajectory'] as const) {
    const path = outputs[key]
    if (path !== null) await checkDraftFree(`--${key}`, path)
  }
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
