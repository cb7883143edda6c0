import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeSafetensors } from '../../src/index.js'
import { type TensorInParts, writeSafetensorsFile } from '../../src/node/index.js'

const folder = mkdtempSync(join(tmpdir(), 'dit-parts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const inParts = (...parts: TensorInParts extends { parts: () => AsyncIterable<infer Part> } ? Part[] : never) => ({
  x: {
    dtype: 'F32',
    shape: [2, 2],
    async *parts() {
      yield* parts
    },
  } as const,
})

test('a tensor in parts is written as the whole one is', async () => {
  const path = join(folder, 'x.safetensors')
  await writeSafetensorsFile(path, inParts(Float32Array.of(1), Float32Array.of(), Float32Array.of(2, 3, 4)))
  const whole = writeSafetensors({ x: { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } })
  expect(new Uint8Array(readFileSync(path))).toEqual(whole)
})

test('parts of another kind, too many and too few leave nothing behind', async () => {
  const path = join(folder, 'y.safetensors')
  await expect(writeSafetensorsFile(path, inParts(Int32Array.of(1)))).rejects.toThrow(
    'writeSafetensorsFile: tensor "x": F32 data must be a Float32Array (Int32Array)',
  )
  for (const length of [3, 5]) {
    await expect(writeSafetensorsFile(path, inParts(new Float32Array(length)))).rejects.toThrow(
      `tensor "x": shape [2, 2] must match the parts (${length} elements)`,
    )
  }
  expect(readdirSync(folder).filter((name) => name.startsWith('y'))).toEqual([])
})
