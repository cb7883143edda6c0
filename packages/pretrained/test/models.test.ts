import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { garments, heroes } from '../src/index.js'

const root = new URL('../', import.meta.url)
const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  readonly exports: Readonly<Record<string, unknown>>
}

test.each([heroes, garments])('$name lies where the package exports it by name, and so does its card', (model) => {
  const file = exports[`./${model.name}.safetensors`]
  expect(fileURLToPath(model.weights)).toBe(fileURLToPath(new URL(String(file), root)))
  expect(exports[`./${model.name}.json`]).toBe(String(file).replace('.safetensors', '.json'))
})

test('every file of weights that is exported belongs to a model', () => {
  const names = Object.keys(exports).flatMap((entry) => /^\.\/(.+)\.safetensors$/.exec(entry)?.[1] ?? [])
  expect(names.toSorted()).toEqual([garments.name, heroes.name])
})
