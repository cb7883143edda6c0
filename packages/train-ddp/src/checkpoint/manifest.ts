import type { FileRecord, RunStore } from '../run/run-store.js'
import { parseCounters } from './counters.js'
import {
  CHECKPOINT_FILES,
  checkpointPath,
  checkpointStep,
  MANIFEST,
  shardsIndexFile,
  TENSOR_PARTS,
  tensorFile,
} from './names.js'

/** Says that a checkpoint is complete, and what its files must be. */
export interface Manifest {
  readonly format: 'dit-checkpoint-1'
  readonly step: number
  readonly files: Readonly<Record<string, FileRecord>>
}

/** Steps of all checkpoint folders, newest first, with whether their manifest was written. */
export async function listCheckpointFolders(store: RunStore): Promise<{ step: number; isComplete: boolean }[]> {
  const folders: { step: number; isComplete: boolean }[] = []
  for (const name of await store.list('checkpoints')) {
    const step = checkpointStep(name)
    if (step === null) continue
    folders.push({ step, isComplete: (await store.list(`checkpoints/${name}`)).includes(MANIFEST) })
  }
  return folders.toSorted((a, b) => b.step - a.step)
}

/** Steps of all checkpoint folders that have a manifest, newest first. */
export async function listCheckpoints(store: RunStore): Promise<number[]> {
  return (await listCheckpointFolders(store)).flatMap(({ step, isComplete }) => (isComplete ? [step] : []))
}

/**
 * Compares a checkpoint's files with its manifest.
 *
 * @returns null when it is whole, else one line that says what is wrong
 */
export async function findDamage(store: RunStore, step: number): Promise<string | null> {
  const folder = checkpointPath(step)
  const manifest = await readManifest(store, folder)
  if (typeof manifest === 'string') return manifest
  for (const [name, expected] of Object.entries(manifest.files)) {
    const found = await store.inspect(`${folder}/${name}`)
    if (found === null) return `${name} is missing`
    if (found.bytes !== expected.bytes) return `${name} has ${found.bytes} bytes instead of ${expected.bytes}`
    if (found.sha256 !== expected.sha256) return `${name} does not match its checksum`
  }
  const counters = parseCounters((await store.read(`${folder}/${CHECKPOINT_FILES.state}`))!, step)
  return typeof counters === 'string' ? counters : null
}

async function readManifest(store: RunStore, folder: string): Promise<Manifest | string> {
  const bytes = await store.read(`${folder}/${MANIFEST}`)
  if (bytes === null) return `${MANIFEST} is missing`
  let manifest: Partial<Manifest> | null
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Manifest> | null
  } catch {
    return `${MANIFEST} is not valid JSON`
  }
  if (manifest?.format !== 'dit-checkpoint-1') {
    return `${MANIFEST} has the unknown format ${JSON.stringify(manifest?.format)}`
  }
  const isListed = (name: string) => isRecord(manifest.files?.[name])
  for (const part of TENSOR_PARTS) {
    const name = tensorFile(part)
    if (!isListed(name) && !isListed(shardsIndexFile(part))) return `${MANIFEST} does not list ${name}`
  }
  if (!isListed(CHECKPOINT_FILES.state)) return `${MANIFEST} does not list ${CHECKPOINT_FILES.state}`
  const wrong = Object.keys(manifest.files!).find((name) => !isListed(name))
  return wrong === undefined ? (manifest as Manifest) : `${MANIFEST} has no size or checksum of ${wrong}`
}

function isRecord(value: Partial<FileRecord> | null | undefined): boolean {
  return typeof value?.bytes === 'number' && typeof value.sha256 === 'string'
}
