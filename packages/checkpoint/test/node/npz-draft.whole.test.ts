import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openNpz } from '../../src/index.js'
import { openFileSource, openNpzDraft } from '../../src/node/index.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-draft-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('beyond 4 GiB it is a zip64 archive, which our reader and that of Python read', { timeout: 300_000 }, async () => {
  const path = join(folder, 'large.npz')
  const count = 2 ** 32 + 5
  const draft = await openNpzDraft(path, {
    arr_0: { dtype: 'U8', shape: [count] },
    arr_1: { dtype: 'I64', shape: [2] },
  })
  // The rest of the file takes no room on the disk.
  await draft.write('arr_0', count - 3, Uint8Array.of(1, 2, 3))
  await draft.write('arr_1', 0, BigInt64Array.of(7n, 8n))
  await draft.finish()
  const source = await openFileSource(path)
  const file = await openNpz(source)
  expect(file.names).toEqual(['arr_0', 'arr_1'])
  expect((await file.array('arr_1')).data).toEqual(BigInt64Array.of(7n, 8n))
  await source.close()
  const code = `import zipfile; f = zipfile.ZipFile('${path}'); print(f.testzip(), [(i.filename, i.file_size) for i in f.infolist()])`
  const python = spawnSync('python3', ['-c', code], { encoding: 'utf8' })
  if (python.error !== undefined) return
  expect(python.stdout.trim()).toBe(`None [('arr_0.npy', ${count + 128}), ('arr_1.npy', ${128 + 16})]`)
})
