import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openNpz } from '../../src/index.js'
import { openFileSource } from '../../src/node/index.js'
import { writeLarge } from './large-npz.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-draft-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('beyond 4 GiB it is a zip64 archive, which our reader reads', { timeout: 300_000 }, async () => {
  const source = await openFileSource(await writeLarge(folder))
  const file = await openNpz(source)
  expect(file.names).toEqual(['arr_0', 'arr_1'])
  expect((await file.array('arr_1')).data).toEqual(BigInt64Array.of(7n, 8n))
  await source.close()
})
