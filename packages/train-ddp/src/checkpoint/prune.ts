import type { RunStore } from '../run/run-store.js'
import { checkpointPath, checkpointStep, MANIFEST } from './names.js'
import { listCheckpoints } from './manifest.js'

export interface KeepPolicy {
  /** This many of the newest checkpoints stay. */
  readonly last: number
  /** Those whose step is a multiple of it stay as well; null for none. */
  readonly every: number | null
  /** The step of the best checkpoint, which stays as well. */
  readonly best?: number | null
}

/** Removes checkpoints that the policy does not keep, and the remains of unfinished ones. The manifest goes first. */
export async function pruneCheckpoints(store: RunStore, { last, every, best = null }: KeepPolicy): Promise<void> {
  const complete = await listCheckpoints(store)
  const isKept = (step: number, i: number) => i < last || (every !== null && step % every === 0) || step === best
  const kept = new Set(complete.filter(isKept))
  for (const name of await store.list('checkpoints')) {
    const step = checkpointStep(name)
    if (step === null || kept.has(step)) continue
    // A file of such a name is nothing that was saved here.
    if ((await store.inspect(checkpointPath(step))) !== null) continue
    await store.remove(`${checkpointPath(step)}/${MANIFEST}`)
    await store.remove(checkpointPath(step))
  }
}
