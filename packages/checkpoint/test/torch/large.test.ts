import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { torchTensors } from '../../src/index.js'
import { openTorchFile, sniffFile } from '../../src/node/index.js'
import { pickle, tensor, text } from './build.js'
import { writeSparseZip } from './sparse-zip.js'

const folder = mkdtempSync(join(tmpdir(), 'dit-large-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a file of six gigabytes: zip64, read where a tensor stands and nowhere else', async () => {
  const path = join(folder, 'large.pt')
  const count = 1.5 * 2 ** 30 // elements: 6 GiB
  const large = tensor({ key: '0', count, shape: [2 ** 30, 1], strides: [1, 1], offset: 2 ** 29 })
  const part = tensor({ key: '0', count, shape: [3], strides: [2 ** 28], offset: 2 ** 29 })
  const small = tensor({ key: '1', count: 2 })
  await writeSparseZip(path, [
    {
      name: 'a/data.pkl',
      content: pickle('}', text('large'), large, 's', text('part'), part, 's', text('small'), small, 's'),
    },
    { name: 'a/data/0', content: 4 * count },
    { name: 'a/data/1', content: new Uint8Array(Float32Array.of(5, 6).buffer) },
  ])
  expect(await sniffFile(path)).toBe('torch')
  const file = await openTorchFile(path)
  const tensors = torchTensors(file)
  expect([...tensors.entries.keys()]).toEqual(['large', 'part', 'small'])
  expect(await tensors.float32('small')).toEqual(Float32Array.of(5, 6))
  await file.close()
  await expect(tensors.float32('small')).rejects.toThrow('must still be open')
})
