import { expect, test } from 'vitest'
import { readSettings, readSize } from '../../src/element/settings.js'

const BASE = 'https://example.org/pages/index.html'
const read = (attributes: Readonly<Record<string, string>>) =>
  readSettings({ getAttribute: (name: string) => attributes[name] ?? null }, BASE)

test('attributes become options of sampling, and src is relative to the page', () => {
  expect(
    read({ src: 'a.safetensors', class: 'disc', steps: '20', guidance: '1.5', count: '2', solver: 'ddim', seed: '7' }),
  ).toEqual({
    src: 'https://example.org/pages/a.safetensors',
    engine: 'auto',
    seed: 7,
    sample: { seed: 7, classes: 'disc', steps: 20, guidance: 1.5, count: 2, sampler: 'ddim' },
  })
})

test('what is not said, or empty, is left to the pipeline; the seed is 0', () => {
  expect(read({ src: 'hf:owner/name', class: ' ', steps: '' })).toEqual({
    src: 'hf:owner/name',
    engine: 'auto',
    seed: 0,
    sample: { seed: 0 },
  })
})

test('model-class goes before class', () => {
  expect(read({ src: 'a', class: 'shadow-lg', 'model-class': 'disc' }).sample.classes).toBe('disc')
})

for (const [attributes, message] of [
  [{}, 'there is no model to draw from: set src to the address of its weights, such as model.safetensors'],
  [{ src: 'a', engine: 'cuda' }, 'engine must be auto, webgpu or wasm (got cuda)'],
  [{ src: 'a', steps: 'many' }, 'steps must be a number (got many)'],
  [{ src: 'a', steps: '0' }, 'steps must be an integer, 1 or more (got 0)'],
  [{ src: 'a', seed: '-1' }, 'seed must be an integer, 0 or more (got -1)'],
  [{ src: 'a', count: '1.5' }, 'count must be an integer, 1 or more (got 1.5)'],
] as const) {
  test(`it says: ${message}`, () => {
    expect(() => read(attributes)).toThrow(message)
  })
}

test('size is a positive number of CSS pixels, or nothing', () => {
  expect([readSize(null), readSize(''), readSize('96')]).toEqual([null, null, 96])
  expect(() => readSize('0')).toThrow('size must be above 0, in CSS pixels (got 0)')
  expect(() => readSize('wide')).toThrow('size must be a number (got wide)')
})
