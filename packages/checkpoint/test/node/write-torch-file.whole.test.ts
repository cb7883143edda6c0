import { expect, test } from 'vitest'
import { readZipDirectory } from '../../src/zip/directory.js'
import { zipDirectory } from '../../src/zip/write.js'
import { sparse } from './sparse.js'

test('more than 65,535 entries stand in zip64', async () => {
  const fail = (problem: string) => new Error(problem)
  const many = Array.from({ length: 70_000 }, (_, i) => ({ name: `${i}`, bytes: 0, crc: 0, byteOffset: 64 * i }))
  const end = 64 * many.length
  expect((await readZipDirectory(sparse([[end, zipDirectory(many, end)]]), fail)).size).toBe(many.length)
})
