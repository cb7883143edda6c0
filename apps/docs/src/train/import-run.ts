import {
  DamagedCheckpointError,
  findCheckpoint,
  isKnownSpec,
  LOG,
  MANIFEST,
  readCounters,
  type RunStore,
  type SavedCounters,
} from '@dit/train-ddp'
import type { PageRun, PageSettings } from './settings.js'

/** A checkpoint in a run's folder with which the page can go on. */
export interface FoundRun {
  readonly settings: PageSettings
  /** Its files in the order in which they are to be written: the manifest last, which says that the others are there. */
  readonly paths: readonly string[]
  /** Bytes of the log that belong to the checkpoint. */
  readonly logBytes: number
}

/**
 * Finds the newest whole checkpoint of a run of `dit train`, and what the page must know to go on with it.
 *
 * @param folder the run's, to be read only
 * @throws RangeError that names what the page cannot go on with
 */
export async function findRun(folder: RunStore): Promise<FoundRun> {
  const config = await readConfig(folder)
  const found = await findCheckpoint(folder).catch((cause: unknown) => {
    if (cause instanceof DamagedCheckpointError) throw new RangeError(cause.message, { cause })
    throw cause
  })
  if (found === null) throw refusal('it has no checkpoint yet; train it further')
  const counters = await readCounters(folder, found.path)
  const names = await folder.list(found.path)
  const files = [...names.filter((name) => name !== MANIFEST), MANIFEST]
  return {
    settings: settingsOf(config, counters),
    paths: files.map((name) => `${found.path}/${name}`),
    logBytes: counters.logBytes,
  }
}

/** Copies it into the page's storage. */
export async function copyRun(folder: RunStore, { paths, logBytes }: FoundRun, store: RunStore): Promise<void> {
  await store.write(LOG, ((await folder.read(LOG)) ?? new Uint8Array()).slice(0, logBytes))
  for (const path of paths) await store.write(path, (await folder.read(path))!)
}

/** What the page reads in a `config.json`. */
interface Config {
  readonly data: { readonly kind: string; readonly size: number; readonly length: number; readonly seed: number }
  readonly classes: readonly string[]
  readonly flip: boolean
  readonly heldOut?: { readonly share: number }
}

async function readConfig(folder: RunStore): Promise<Config> {
  const bytes = await folder.read('config.json')
  if (bytes === null) throw refusal('it has no config.json; choose the folder that dit train --out made')
  let config: Partial<Config>
  try {
    config = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Config>
  } catch (cause) {
    throw refusal('its config.json is not valid JSON', { cause })
  }
  const { data, classes, flip } = config
  if (data?.kind !== 'shapes' && data?.kind !== 'sprites')
    throw refusal(
      `its data are ${JSON.stringify(data?.kind)}, but only those of shapes and sprites are in the page; open its weights in place of it`,
    )
  if (!Array.isArray(classes) || typeof flip !== 'boolean') throw refusal('its config.json lacks "classes" or "flip"')
  return config as Config
}

function settingsOf({ data, classes, flip, heldOut }: Config, counters: SavedCounters): PageSettings {
  const { objective, recipe, seed, steps, optimizer, parallel } = counters
  if (!isKnownSpec(objective)) throw refusal('its objective is your own, which only your code can make')
  const { config, lora } = objective.network
  if (lora !== undefined) throw refusal('it trains adapters; the weights that they adapt are not in a checkpoint')
  if (optimizer.name !== 'adamw') throw refusal(`its optimizer is ${optimizer.name}, but the page has adamw`)
  if (config.conditions !== undefined) throw refusal('its network has conditions, but the page has one label')
  if ((parallel?.workers ?? 1) > 1) throw refusal(`it has ${parallel!.workers} workers, but the page has one`)
  const run: PageRun = {
    objective,
    recipe,
    length: data.length,
    dataSeed: data.seed,
    flip,
    ...(heldOut === undefined ? {} : { heldOutShare: heldOut.share }),
  }
  const { kind, size } = data as { readonly kind: 'shapes' | 'sprites'; readonly size: number }
  return { format: 'dit-page-run-1', data: kind, classes, size, steps, seed, run }
}

function refusal(problem: string, options?: ErrorOptions): RangeError {
  return new RangeError(`this page cannot go on with the run: ${problem}`, options)
}
