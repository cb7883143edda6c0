import type { RunStore } from '../run/run-store.js'
import { checkpointPath, checkpointStep } from './names.js'

/** Which measure of `evaluate` decides what the best checkpoint is. */
export interface KeepBest {
  /** Its name among the measures. */
  readonly measure: string
  readonly better: 'less' | 'more'
}

/** The best checkpoint of a run so far. */
export interface BestCheckpoint extends KeepBest {
  readonly step: number
  readonly value: number
}

/** Names the best checkpoint, beside the folders of all. */
export const BEST_FILE = 'checkpoints/best.json'

const FORMAT = 'dit-best-1'

/** Whether a value is better than that of the best checkpoint so far. An equal one is not: the earlier checkpoint stays. */
export function isBetter({ measure, better }: KeepBest, value: number, best: BestCheckpoint | null): boolean {
  if (best === null || best.measure !== measure || best.better !== better) return true
  return better === 'less' ? value < best.value : value > best.value
}

/**
 * The best checkpoint of a run, as `best.json` names it. The checkpoint may be damaged: `findDamage` tells.
 *
 * @returns null where the run keeps none
 * @throws RangeError for a file that is not one of ours
 */
export async function readBest(store: RunStore): Promise<(BestCheckpoint & { readonly path: string }) | null> {
  const bytes = await store.read(BEST_FILE)
  if (bytes === null) return null
  let read: Partial<BestCheckpoint & { format: string; checkpoint: string }> | null
  try {
    read = JSON.parse(new TextDecoder().decode(bytes)) as typeof read
  } catch (cause) {
    throw new RangeError(`${store.location}/${BEST_FILE} is not valid JSON`, { cause })
  }
  const { format, checkpoint, ...best } = read ?? {}
  if (format !== FORMAT || !isBest(best) || checkpointStep(String(checkpoint)) !== best.step) {
    throw new RangeError(`${store.location}/${BEST_FILE} does not name a checkpoint in the format ${FORMAT}`)
  }
  return { ...best, path: checkpointPath(best.step) }
}

/** Whether a value, such as one that was read from a file, is complete. */
export function isBest(value: object): value is BestCheckpoint {
  const { step, measure, value: number, better } = value as Partial<BestCheckpoint>
  return (
    Number.isSafeInteger(step) &&
    step! > 0 &&
    typeof measure === 'string' &&
    Number.isFinite(number) &&
    (better === 'less' || better === 'more')
  )
}

/** Brings `best.json` to what the state says; unchanged, it is left alone. */
export async function writeBest(store: RunStore, best: BestCheckpoint | null): Promise<void> {
  const before = await store.read(BEST_FILE)
  if (best === null) {
    if (before !== null) await store.remove(BEST_FILE)
    return
  }
  const { step, measure, value, better } = best
  const checkpoint = checkpointPath(step).split('/').at(-1)!
  const text = `${JSON.stringify({ format: FORMAT, checkpoint, step, measure, value, better }, null, 2)}\n`
  if (before === null || new TextDecoder().decode(before) !== text) await store.write(BEST_FILE, text)
}
