import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { folderTree } from '@dit/checkpoint/node'
import { type LatentScaling, LayoutError } from '@dit/model'
import {
  type BestCheckpoint,
  checkpointPath,
  checkpointStep,
  type DenoisingObjective,
  findCheckpoint,
  findDamage,
  partFile,
  readBest,
  type RunStore,
} from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { checkVaeConfig, type VaeConfig } from '@dit/vae'
import type { OpenModel } from '../open-model.js'
import { type OpenOptions, openTree } from '../open/open-tree.js'
import { OpenError, OptionError } from '../option-error.js'
import { scalingOf } from '../pictures/latent-scaling.js'
import { openAdapted } from './open-adapted.js'
import { openOwnRun } from './open-own-run.js'
import { describeOwnRun, describeRunConfig, isRunConfig } from './run-config.js'

/** A checkpoint of a run. */
interface Place {
  readonly folder: string
  readonly step: number
  /** Of the checkpoint, in the run. */
  readonly path: string
  readonly notices: readonly string[]
  /** The measure by which it is the best one, where it was asked for as that. */
  readonly bestBy?: string
}

/** In place of a checkpoint's name: the best one of the run. */
const BEST = 'best'

/** Whether a folder is a run of `dit train`. */
export async function isRun(folder: string): Promise<boolean> {
  return isRunConfig(await readJson(join(folder, 'config.json')))
}

/** Whether a folder lies where the checkpoints of a run lie; `<run>/checkpoints/best` stands for the best of them. */
export function isCheckpoint(folder: string): boolean {
  const path = resolve(folder)
  const name = basename(path)
  return (checkpointStep(name) !== null || name === BEST) && basename(dirname(path)) === 'checkpoints'
}

/**
 * Opens the newest whole checkpoint of a run, or one of its checkpoints.
 *
 * @param path of the run, of `<run>/checkpoints/step-0001000`, or of `<run>/checkpoints/best`
 * @param objective of a run whose network only the caller's code can build
 * @throws OpenError where there is no checkpoint yet, it is damaged, or the run trains a network of its own that is not given
 */
export async function openRun(
  path: string,
  options: OpenOptions,
  objective: DenoisingObjective | null = null,
): Promise<OpenModel> {
  for (const option of ['process', 'heads'] as const) {
    if (options[option] !== undefined)
      throw new OptionError(
        option,
        `it is for weights files; ${path} is a run, which knows its own settings. Leave it out`,
      )
  }
  const place = isCheckpoint(path) ? await placeOfCheckpoint(path) : await placeOfRun(path)
  const { folder, step, notices, bestBy } = place
  const file = join(folder, 'config.json')
  const json = await readJson(file)
  if (!isRunConfig(json)) throw new OpenError(file, 'this is not the config.json of a run of dit train')
  const which = options.which ?? 'ema'
  const store = folderRunStore(folder)
  const part = await partFile(store, place.path, which)
  const about = {
    which,
    title: `${folder}, step ${step}${bestBy === undefined ? '' : ` (best by ${bestBy})`}, ${which === 'model' ? 'trained' : 'averaged'} weights`,
    location: join(folder, place.path, part),
    notices,
  }
  const ownRun = describeOwnRun(json, file)
  if (ownRun !== null && objective !== null) {
    const latents = ownRun.latents === null ? null : await scalingIn(ownRun.latents)
    const own = { ...ownRun, latents, folder, path: place.path, part, step, objective }
    return { ...(await openOwnRun(own, options)), ...about }
  }
  if (objective !== null) {
    throw new OptionError(
      'objective',
      `it is for a run that trains one of your own; ${folder} trains a DiT. Leave it out`,
    )
  }
  const { latents, lora, ...run } = describeRunConfig(json, file)
  const tree = folderTree(join(folder, place.path))
  const known = { ...run, step, latents: latents === null ? null : await scalingIn(latents) }
  // A part of a checkpoint does not say which weights it holds: its name does.
  const { which: _which, ...others } = options
  const opening =
    lora === null
      ? openTree(folder, tree, part, others, known)
      : openAdapted(folder, { path: join(folder, place.path, part), lora, known, options: others })
  const model = await opening.catch((error: unknown) => {
    const { cause } = error as Error
    if (!(error instanceof OpenError && cause instanceof LayoutError)) throw error
    throw new Error(`${join(folder, place.path)} does not fit ${file}: ${cause.message}`, { cause })
  })
  return { ...model, ...about }
}

async function placeOfRun(folder: string): Promise<Place> {
  const found = await findCheckpoint(folderRunStore(folder))
  if (found !== null) return { folder, ...found }
  throw new OpenError(
    folder,
    `it has no checkpoint yet, because it was stopped too early. Continue it with \`dit train --resume ${folder}\``,
  )
}

async function placeOfCheckpoint(checkpoint: string): Promise<Place> {
  const path = resolve(checkpoint)
  const folder = relativeTo(checkpoint, dirname(dirname(path)))
  const store = folderRunStore(folder)
  const best = basename(path) === BEST ? await bestOf(store) : null
  const step = best?.step ?? checkpointStep(basename(path))!
  const damage = await findDamage(store, step)
  if (damage === null) {
    return { folder, step, path: checkpointPath(step), notices: [], ...(best === null ? {} : { bestBy: best.measure }) }
  }
  throw new OpenError(checkpoint, `it is damaged (${damage}); give ${folder} to use its newest complete checkpoint`)
}

async function bestOf(store: RunStore): Promise<BestCheckpoint> {
  const best = await readBest(store).catch((cause: unknown) => {
    throw new OpenError(store.location, (cause as Error).message, { cause })
  })
  if (best !== null) return best
  throw new OpenError(
    store.location,
    'it keeps no best checkpoint. `dit train` keeps one if it measures samples, with --eval-every; give the run itself to use its newest',
  )
}

/** The run's folder, spelled as its checkpoint was. */
function relativeTo(checkpoint: string, folder: string): string {
  const spelled = dirname(dirname(checkpoint))
  return resolve(spelled) === folder ? spelled : folder
}

/** How latents of a folder of `dit encode` are scaled; null where the folder is gone. */
async function scalingIn(folder: string): Promise<LatentScaling | null> {
  const manifest = (await readJson(join(folder, 'latents.json'))) as { vae?: VaeConfig } | null
  try {
    if (manifest?.vae === undefined) return null
    checkVaeConfig(manifest.vae)
    return scalingOf(manifest.vae)
  } catch {
    return null
  }
}

/** A file of JSON parsed; null where there is none, or it is none. */
async function readJson(path: string): Promise<unknown> {
  try {
    if (!(await stat(path)).isFile()) return null
    return JSON.parse((await readFile(path, 'utf8')).replace(/^\uFEFF/, '')) as unknown
  } catch {
    return null
  }
}
