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
