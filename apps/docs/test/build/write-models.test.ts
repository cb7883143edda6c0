import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeModels } from '../../src/build/write-models.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dit-models-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('copies each model under a name that changes with its contents, and lists them', () => {
  writeFileSync(join(folder, 'heroes.safetensors'), 'abc')
  writeFileSync(join(folder, 'heroes.json'), '{}')
  const to = join(folder, 'to')
  // The SHA-256 of abc begins so (FIPS 180-4, example 1).
  const model = { name: 'heroes', file: 'heroes-ba7816bf8f01.safetensors', bytes: 3 }
  expect(writeModels(folder, to)).toEqual([model])
  expect(readdirSync(to).toSorted()).toEqual(['heroes-ba7816bf8f01.safetensors', 'index.json'])
  expect(readFileSync(join(to, model.file), 'utf8')).toBe('abc')
  expect(JSON.parse(readFileSync(join(to, 'index.json'), 'utf8'))).toEqual({ models: [model] })
})

test('a folder that is not there has no models, and says so', () => {
  const to = join(folder, 'nothing')
  expect(writeModels(join(folder, 'missing'), to)).toEqual([])
  expect(JSON.parse(readFileSync(join(to, 'index.json'), 'utf8'))).toEqual({ models: [] })
})
