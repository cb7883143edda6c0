import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { originRunStore } from '../src/index.js'

const BROWSERS = 'Chrome and Edge have all of it from 86 (on Android 109), Firefox from 111, Safari from 26'
const storage = { getDirectory: () => Promise.reject(new Error('the storage was asked for')) }

/** A page that has everything, up to the storage itself. `test/browser` has real ones. */
beforeEach(() => {
  vi.stubGlobal('navigator', { storage, locks: {} })
  vi.stubGlobal('FileSystemFileHandle', { prototype: { createWritable() {} } })
  vi.stubGlobal('FileSystemDirectoryHandle', { prototype: { keys() {} } })
})
afterEach(() => {
  vi.unstubAllGlobals()
})

test('a page that has all that a store uses gets as far as its storage', async () => {
  await expect(originRunStore('a')).rejects.toThrow('the storage was asked for')
})

for (const [what, global, value] of [
  ['FileSystemFileHandle.prototype.createWritable', 'FileSystemFileHandle', { prototype: {} }],
  ['FileSystemDirectoryHandle.prototype.keys', 'FileSystemDirectoryHandle', { prototype: {} }],
  ['navigator.storage.getDirectory', 'navigator', { storage: {}, locks: {} }],
  ['navigator.locks', 'navigator', { storage }],
  ['crypto.subtle', 'crypto', {}],
] as const) {
  test(`a browser without ${what} is told so before anything is written, and which ones have it`, async () => {
    vi.stubGlobal(global, value)
    await expect(originRunStore('a')).rejects.toThrow(
      `originRunStore: this page cannot keep runs, for want of ${what}; ${BROWSERS}`,
    )
  })
}

test('what is not a page lacks all of it, and a page that is not secure is told that', async () => {
  for (const name of ['navigator', 'FileSystemFileHandle', 'FileSystemDirectoryHandle']) vi.stubGlobal(name, undefined)
  const storageAndMore =
    'navigator.storage.getDirectory, navigator.locks, FileSystemFileHandle.prototype.createWritable, FileSystemDirectoryHandle.prototype.keys'
  await expect(originRunStore('a')).rejects.toThrow(`for want of ${storageAndMore}; ${BROWSERS}`)
  vi.stubGlobal('isSecureContext', false)
  await expect(originRunStore('a')).rejects.toThrow(
    `for want of ${storageAndMore}; browsers offer that to secure pages`,
  )
})

test('the name of a run must be one', async () => {
  await expect(originRunStore('../a')).rejects.toThrow(
    'originRunStore: name must be letters, digits, -, _ and . (got "../a")',
  )
})

/** A file system in memory, whose files change when a copy of theirs is closed, as those of pages. */
function folder() {
  const folders = new Map<string, ReturnType<typeof folder>>()
  const files = new Map<string, Uint8Array>()
  const missing = () => new DOMException('missing', 'NotFoundError')
  const mismatch = () => new DOMException('of another type', 'TypeMismatchError')
  return {
    async getDirectoryHandle(name: string, { create = false } = {}) {
      if (files.has(name)) throw mismatch()
      if (create && !folders.has(name)) folders.set(name, folder())
      const found = folders.get(name)
      if (found === undefined) throw missing()
      return found
    },
    async getFileHandle(name: string, { create = false } = {}) {
      if (folders.has(name)) throw mismatch()
      if (create && !files.has(name)) files.set(name, new Uint8Array())
      if (!files.has(name)) throw missing()
      return {
        getFile: async () => new Blob([files.get(name)! as Uint8Array<ArrayBuffer>]),
        async createWritable({ keepExistingData = false } = {}) {
          let copy = keepExistingData ? files.get(name)!.slice() : new Uint8Array()
          return {
            async write(given: Uint8Array | { position: number; data: string }) {
              const [at, bytes] =
                given instanceof Uint8Array ? [0, given] : [given.position, new TextEncoder().encode(given.data)]
              const longer = new Uint8Array(Math.max(copy.length, at + bytes.length))
              longer.set(copy)
              longer.set(bytes, at)
              copy = longer
            },
            async truncate(size: number) {
              copy = copy.slice(0, size)
            },
            async close() {
              files.set(name, copy)
            },
          }
        },
      }
    },
  }
}

test('a log that is read and flushed at the same time has every line once', async () => {
  const root = folder()
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => root }, locks: {} })
  const store = await originRunStore('a')
  const text = async () => new TextDecoder().decode((await store.read('log.jsonl'))!)
  await store.append('log.jsonl', 'one\n')
  await Promise.all([store.flush('log.jsonl'), store.read('log.jsonl'), store.inspect('log.jsonl')])
  expect(await text()).toBe('one\n')
  const flushed = store.flush('log.jsonl')
  await store.append('log.jsonl', 'two\n')
  const cut = store.truncate('log.jsonl', 6)
  await store.append('log.jsonl', '!\n')
  await Promise.all([flushed, cut, store.flush('log.jsonl')])
  expect((await text()).startsWith('one\ntw')).toBe(true)
  await Promise.all([store.append('log.jsonl', 'more\n'), store.flush('log.jsonl'), store.write('log.jsonl', 'new\n')])
  expect(await text()).toBe('new\n')
})

test('a folder is no file, and a file no folder', async () => {
  const root = folder()
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => root }, locks: {} })
  const store = await originRunStore('a')
  await store.write('checkpoints/step-1/manifest.json', '{}')
  expect(await store.inspect('checkpoints/step-1')).toBe(null)
  expect(await store.read('checkpoints')).toBe(null)
  expect(await store.list('checkpoints/step-1/manifest.json')).toEqual([])
  expect(await store.inspect('checkpoints/step-1/manifest.json/x')).toBe(null)
  await expect(store.write('checkpoints/step-1', '')).rejects.toThrow('of another type')
})

/** Locks of one name, as the Web Locks API grants them: to one at a time, in order, unless the signal ends the wait. */
function oneLock() {
  let last = Promise.resolve()
  return {
    request(_: string, { signal }: { signal: AbortSignal }, hold: () => Promise<void>): Promise<void> {
      const turn = last
      const held = new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
        void turn.then(() => (signal.aborted ? undefined : hold().then(resolve, reject)))
      })
      last = held.catch(() => {})
      return held
    },
  }
}

test('a lock is waited for as long as a closed tab may hold it, and then refused', async () => {
  vi.useFakeTimers()
  try {
    vi.stubGlobal('navigator', { storage: { getDirectory: async () => folder() }, locks: oneLock() })
    const [first, second] = [await originRunStore('a'), await originRunStore('a')]
    const unlock = await first.lock()
    const refused = second.lock().catch((error: unknown) => String(error))
    await vi.advanceTimersByTimeAsync(3000)
    expect(await refused).toContain('another tab is training this run')
    const waits = second.lock()
    await vi.advanceTimersByTimeAsync(2900)
    await unlock()
    const release = await waits
    await vi.advanceTimersByTimeAsync(60_000)
    await release()
  } finally {
    vi.useRealTimers()
  }
})
