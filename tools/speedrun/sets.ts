import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { garments } from '../pretrained/garments.js'
import { heroes } from '../pretrained/heroes.js'
import type { ModelSpec, Prepared } from '../pretrained/model-spec.js'

export const SET_NAMES = ['heroes', 'fashion'] as const
export type SetName = (typeof SET_NAMES)[number]

/** Pictures to train on and others to judge by, as they lie in a work folder. */
export interface SpeedrunSet {
  readonly name: SetName
  readonly size: number
  /** `--data` of `dit train`. */
  readonly data: string
  readonly folders: { readonly training: string; readonly heldOut: string }
}

/** There are 384,000 heroes: short budgets draw each at most once. */
const SPECS: Readonly<Record<SetName, ModelSpec>> = {
  heroes: { ...heroes, sizes: { steps: 24_000, batch: 16, heldOutPerClass: 118, trainingPerClass: 600 } },
  fashion: { ...garments, sizes: { ...garments.sizes, trainingPerClass: 600 } },
}

/** Writes the pictures of a set, unless they are there. */
export async function prepareSet(work: string, name: SetName, source: string): Promise<void> {
  const root = join(work, name)
  if (existsSync(join(root, 'set.json'))) return
  await mkdir(root, { recursive: true })
  const spec = SPECS[name]
  const folders = { work: root, training: join(root, 'training'), heldOut: join(root, 'held-out') }
  const prepared = await spec.prepare(source, spec.sizes, folders)
  await writeFile(join(root, 'set.json'), `${JSON.stringify(prepared, null, 2)}\n`)
}

/**
 * Opens a set that was prepared.
 *
 * @throws Error where it was not
 */
export async function openSet(work: string, name: SetName): Promise<SpeedrunSet> {
  const root = join(work, name)
  const text = await readFile(join(root, 'set.json'), 'utf8').catch(() => null)
  if (text === null) throw new Error(`${work} has no ${name} yet; begin with: npm run speedrun -- prepare ${work} …`)
  const { data } = JSON.parse(text) as Prepared
  const folders = { training: join(root, 'training'), heldOut: join(root, 'held-out') }
  return { name, size: SPECS[name].size, data, folders }
}
