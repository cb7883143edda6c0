import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { evaluateWithRows, folderFeatureStore, readRows, writeRows } from '../../src/node/index.js'
import { madePictures, standIn } from '../support/stand-in.js'

const folder = mkdtempSync(join(tmpdir(), 'dit-evaluate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('what was kept is read again; what is cut short or changed is told, removed and null', async () => {
  const damaged: string[] = []
  const store = folderFeatureStore(join(folder, 'store'), { onDamage: (_, problem) => damaged.push(problem) })
  expect(await store.read('key')).toBeNull()
  const features = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }
  const pixels = { shape: [4], data: Uint8Array.of(0, 255, 7, 8) }
  await store.write('key', { features, pixels })
  expect(await store.read('key')).toEqual({ features, pixels })
  const path = join(folder, 'store', 'key.safetensors')
  const bytes = readFileSync(path)
  bytes[bytes.length - 1] ^= 1
  writeFileSync(path, bytes)
  expect(await store.read('key')).toBeNull()
  expect(damaged).toEqual(['its checksum is another'])
  await store.write('key', { features })
  truncateSync(path, 20)
  expect(await store.read('key')).toBeNull()
  expect(damaged).toHaveLength(2)
  expect(readdirSync(join(folder, 'store'))).toEqual([])
})

test('rows of an evaluation come back from their file', async () => {
  const { extractor } = standIn()
  const options = { extractor, numResamples: 4, training: madePictures(30, 2) }
  const { rows } = await evaluateWithRows(madePictures(30, 3), madePictures(30, 1), options)
  const path = join(folder, 'rows.safetensors')
  await writeRows(path, rows)
  expect(await readRows(path)).toEqual(rows)
})
