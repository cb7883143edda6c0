import { openSafetensors, type StoredArray, writeSafetensors } from '@dit/checkpoint'
import { type FileRecord, RunLockedError, type RunStore } from '@dit/train-ddp'

export interface OriginRunStoreOptions {
  /** Folder in the page's storage under which runs lie, `dit-runs` by default. */
  readonly folder?: string
}

/**
 * A training run in the storage of the page's origin (OPFS): it is there again when the tab was closed, slept or lost its
 * graphics device. Pass it to `train`, which continues what it finds.
 *
 * A file is replaced whole or not at all; what is appended reaches the storage with the next `flush`, before each checkpoint. A
 * second tab that trains the same run is refused by a lock of the origin, after three seconds: a tab that was just closed or
 * reloaded may hold its own for a moment more.
 *
 * @param name of the run: letters, digits, `-`, `_` and `.`
 * @throws RangeError when the name is another one
 * @throws Error where the page has no such storage, naming what is missing and which browsers have it
 *
 * @example
 * for await (const event of train({ ...options, store: await originRunStore('shapes') })) show(event)
 */
export async function originRunStore(
  name: string,
  { folder = 'dit-runs' }: OriginRunStoreOptions = {},
): Promise<RunStore> {
  if (!/^[\w-][\w.-]*$/.test(name)) {
    throw new RangeError(`originRunStore: name must be letters, digits, -, _ and . (got ${JSON.stringify(name)})`)
  }
  checkPage()
  const { storage, locks } = navigator
  const runs = await (await storage.getDirectory()).getDirectoryHandle(folder, { create: true })
  const root = await runs.getDirectoryHandle(name, { create: true })
  const location = `${folder}/${name} in the page's storage`

  async function directory(parts: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle | null> {
    let here = root
    for (const part of parts) {
      const next = await here.getDirectoryHandle(part, { create }).catch(create ? raise : nullIfMissing)
      if (next === null) return null
      here = next
    }
    return here
  }

  async function file(path: string, create: boolean): Promise<FileSystemFileHandle | null> {
    const parts = path.split('/')
    const parent = await directory(parts.slice(0, -1), create)
    return (await parent?.getFileHandle(parts.at(-1)!, { create }).catch(create ? raise : nullIfMissing)) ?? null
  }

  // What was appended waits for `flush`: a page can change a file only by way of a copy, which would be one of the whole log
  // for every line. Lines that are lost with the tab are of steps after the last checkpoint, which run again.
  const appended = new Map<string, string>()

  // One after another: what changes a file is a copy of it, and of two copies the one that is closed last would hold.
  let last: Promise<unknown> = Promise.resolve()
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }

  /** Writes what waits for a file to its end. Where that fails it goes on waiting. */
  async function writeAppended(path: string): Promise<void> {
    const text = appended.get(path)
    if (text === undefined) return
    const handle = (await file(path, true))!
    const { size } = await handle.getFile()
    const stream = await handle.createWritable({ keepExistingData: true })
    await stream.write({ type: 'write', position: size, data: text })
    await stream.close()
    // More may have come meanwhile.
    const rest = appended.get(path)!.slice(text.length)
    if (rest === '') appended.delete(path)
    else appended.set(path, rest)
  }

  async function read(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
    await writeAppended(path)
    const handle = await file(path, false)
    return handle === null ? null : new Uint8Array(await (await handle.getFile()).arrayBuffer())
  }

  async function put(path: string, bytes: Uint8Array): Promise<FileRecord> {
    appended.delete(path)
    const handle = await file(path, true)
    // Goes to another file, which takes the place of this one when it is closed.
    const stream = await handle!.createWritable()
    await stream.write(bytes as Uint8Array<ArrayBuffer>)
    await stream.close()
    return recordOf(bytes)
  }

  return {
    location,
    read: (path) => inTurn(() => read(path)),
    write: (path, contents) =>
      inTurn(() => put(path, typeof contents === 'string' ? new TextEncoder().encode(contents) : contents)),
    async writeTensors(path, tensors, metadata) {
      const arrays = new Map<string, StoredArray>()
      for (const [key, { dtype, shape, data }] of tensors) {
        arrays.set(key, { dtype, shape, data: typeof data === 'function' ? await data() : data } as StoredArray)
      }
      return inTurn(() => put(path, writeSafetensors(arrays, metadata)))
    },
    async openTensors(path) {
      const handle = await file(path, false)
      if (handle === null) throw new Error(`originRunStore: there is no file ${path} in ${location}`)
      const blob = await handle.getFile()
      const source = {
        size: blob.size,
        name: path,
        read: async (start: number, end: number) => new Uint8Array(await blob.slice(start, end).arrayBuffer()),
      }
      return { ...(await openSafetensors(source)), close: async () => {} }
    },
    async inspect(path) {
      const bytes = await inTurn(() => read(path))
      return bytes === null ? null : recordOf(bytes)
    },
    async append(path, text) {
      appended.set(path, (appended.get(path) ?? '') + text)
    },
    truncate: (path, bytes) =>
      inTurn(async () => {
        await writeAppended(path)
        const handle = (await file(path, true))!
        const stream = await handle.createWritable({ keepExistingData: true })
        await stream.truncate(bytes)
        await stream.close()
      }),
    flush: (path) => inTurn(() => writeAppended(path)), // whose `close` waits for it
    async list(path) {
      await inTurn(async () => {
        for (const waiting of appended.keys()) await writeAppended(waiting)
      })
      const inside = await directory(path === '' ? [] : path.split('/'), false)
      const names: string[] = []
      if (inside !== null) for await (const key of inside.keys()) names.push(key)
      return names.toSorted()
    },
    remove: (path) =>
      inTurn(async () => {
        for (const waiting of appended.keys()) {
          if (waiting === path || waiting.startsWith(`${path}/`)) appended.delete(waiting)
        }
        const parts = path.split('/')
        const parent = await directory(parts.slice(0, -1), false)
        await parent?.removeEntry(parts.at(-1)!, { recursive: true }).catch(nullIfMissing)
      }),
    async lock() {
      const unlock = await lockRun(locks, `dit ${folder}/${name}`, location)
      return async () => {
        // Of a run that ended with an error, the lines that led to it. It is the error that must be heard of.
        for (const waiting of appended.keys()) await inTurn(() => writeAppended(waiting)).catch(() => {})
        await unlock()
      }
    },
  }
}

/** What a store uses of the page. Safari had OPFS from 15.2 on, but no `createWritable` before 26. */
const NEEDED = [
  'navigator.storage.getDirectory',
  'navigator.locks',
  'FileSystemFileHandle.prototype.createWritable',
  'FileSystemDirectoryHandle.prototype.keys',
  'crypto.subtle',
]

/** Fails now where a run would at its first checkpoint. */
function checkPage(): void {
  const missing = NEEDED.filter((path) => {
    let value: unknown = globalThis
    for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key]
    return value === undefined
  })
  if (missing.length === 0) return
  const { isSecureContext } = globalThis as { isSecureContext?: boolean }
  const remedy =
    isSecureContext === false
      ? 'browsers offer that to secure pages only; serve this one over https or from localhost'
      : 'Chrome and Edge have all of it from 86 (on Android 109), Firefox from 111, Safari from 26'
  throw new Error(`originRunStore: this page cannot keep runs, for want of ${missing.join(', ')}; ${remedy}`)
}

/** Milliseconds for which a lock is waited for. */
const LOCK_PATIENCE = 3000

/** A lock of the origin, held until the function that it gives is called or the page is gone. */
function lockRun(locks: LockManager, name: string, location: string): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const taken = new RunLockedError(`${location}: another tab is training this run`)
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(taken), LOCK_PATIENCE)
    const hold = async (): Promise<void> => {
      clearTimeout(timer)
      await new Promise<void>((release) => {
        resolve(async () => {
          release()
          await held
        })
      })
    }
    const held = locks.request(name, { signal: patience.signal }, hold)
    held.catch((error: unknown) => {
      clearTimeout(timer)
      // Older browsers reject with an error of their own, not with the signal's reason.
      reject(patience.signal.aborted ? taken : (error as Error))
    })
  })
}

function raise(error: unknown): never {
  throw error
}

/** A folder is no file, and a file no folder. */
function nullIfMissing(error: unknown): null {
  if (error instanceof DOMException && (error.name === 'NotFoundError' || error.name === 'TypeMismatchError')) {
    return null
  }
  throw error
}

async function recordOf(bytes: Uint8Array): Promise<FileRecord> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  return { bytes: bytes.length, sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') }
}
