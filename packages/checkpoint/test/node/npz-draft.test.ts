import { lstat, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readNpz, writeNpz } from '../../src/index.js'
import { openNpzDraft } from '../../src/node/index.js'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-draft-'))
  path = join(folder, 'a.npz')
})
afterEach(() => rm(folder, { recursive: true }))

const pixels = Uint8Array.from({ length: 5 * 12 }, (_, i) => (i * 37) % 256)
const labels = BigInt64Array.from([3n, -1n, 2n, 0n, 2n ** 40n])
const specs = { arr_0: { dtype: 'U8', shape: [5, 2, 2, 3] }, arr_1: { dtype: 'I64', shape: [5] } } as const

/** The same arrays at once. */
const whole = () =>
  writeNpz({
    arr_0: { dtype: 'U8', shape: [5, 2, 2, 3], data: pixels },
    arr_1: { dtype: 'I64', shape: [5], data: labels },
  })

test('pieces in any order make the bytes of writeNpz', async () => {
  const draft = await openNpzDraft(path, specs)
  await draft.write('arr_1', 0, labels)
  await draft.write('arr_0', 24, pixels.subarray(24))
  await draft.write('arr_0', 0, pixels.subarray(0, 24))
  await draft.finish()
  expect(Buffer.compare(await readFile(path), Buffer.from(whole()))).toBe(0)
})

test('a draft goes on where it was left, also where its directory was half written, and is no npz before', async () => {
  const draft = await openNpzDraft(path, specs)
  await draft.write('arr_0', 0, pixels.subarray(0, 24))
  await draft.close()
  await expect(readNpz(await readFile(path))).rejects.toThrow('npz')
  await truncate(path, (await stat(path)).size + 7)
  const again = await openNpzDraft(path, specs, { resume: true })
  await again.write('arr_0', 24, pixels.subarray(24))
  await again.write('arr_1', 0, labels)
  await again.finish()
  expect(Buffer.compare(await readFile(path), Buffer.from(whole()))).toBe(0)
})

test('a file in the way and a file that is no such draft are refused and left alone', async () => {
  await writeFile(path, 'mine')
  await expect(openNpzDraft(path, specs)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(openNpzDraft(path, specs, { resume: true })).rejects.toThrow('must be a draft of these arrays')
  expect(await readFile(path, 'utf8')).toBe('mine')
  const other = Buffer.alloc(100_000, 7)
  await writeFile(path, other)
  await expect(openNpzDraft(path, specs, { resume: true })).rejects.toThrow(/of \d+ to \d+ bytes \(100000\)/)
  expect(await readFile(path)).toEqual(other)
})

test.skipIf(process.platform === 'win32')('a link is refused and left alone', async () => {
  const draft = await openNpzDraft(path, specs)
  await draft.close()
  const link = join(folder, 'link')
  await symlink(path, link)
  await expect(openNpzDraft(link, specs)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(openNpzDraft(link, specs, { resume: true })).rejects.toMatchObject({ code: 'ELOOP' })
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
})

test('elements beyond an array, of another kind or of no array are refused', async () => {
  const draft = await openNpzDraft(path, specs)
  await expect(draft.write('arr_0', 59, pixels.subarray(0, 2))).rejects.toThrow(
    'within array "arr_0" (2 from 59 of 60)',
  )
  await expect(draft.write('arr_1', 0, new Float32Array(2))).rejects.toThrow('"arr_1" is I64 (got Float32Array)')
  await expect(draft.write('arr_2', 0, pixels)).rejects.toThrow('there is no array "arr_2"')
  await draft.close()
  await expect(openNpzDraft(path, { ä: specs.arr_1 })).rejects.toThrow('names must be printable ASCII')
})
