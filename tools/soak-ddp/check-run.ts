import { findDamage, listCheckpoints } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'

/** The first thing that is wrong with a checkpoint that counts, or null. */
export async function checkWhole(folder: string): Promise<string | null> {
  const store = folderRunStore(folder)
  for (const step of await listCheckpoints(store)) {
    const damage = await findDamage(store, step)
    if (damage !== null) return `the checkpoint of step ${step} is damaged: ${damage}`
  }
  return null
}

/** Step of the newest checkpoint that counts; 0 where there is none. */
export async function newestStep(folder: string): Promise<number> {
  return (await listCheckpoints(folderRunStore(folder)))[0] ?? 0
}

/** Checksums of a finished run: its log and its newest checkpoint. */
export async function runHashes(folder: string): Promise<Record<string, string>> {
  const store = folderRunStore(folder)
  const step = await newestStep(folder)
  const last = `checkpoints/step-${String(step).padStart(7, '0')}`
  const hashes: Record<string, string> = {}
  for (const path of ['log.jsonl', ...(await store.list(last)).map((name) => `${last}/${name}`)]) {
    hashes[path] = (await store.inspect(path))!.sha256
  }
  return hashes
}
