import { expect, test } from 'vitest'
import { bytesSource, type FileTree, readText } from '../src/index.js'

function treeOf(text: string): FileTree {
  const bytes = new TextEncoder().encode(text)
  return { name: 'folder', place: (path) => `folder/${path}`, open: async (path) => bytesSource(bytes, path) }
}

const nested = (depth: number, inside = '') => `${'['.repeat(depth)}${inside}${']'.repeat(depth)}`

test('a text is given as it is, with brackets in strings', async () => {
  const text = JSON.stringify({ a: '['.repeat(200) + '\\"' + '{'.repeat(200), b: [{ c: [] }] })
  expect(await readText(treeOf(text), 'config.json')).toBe(text)
  const deepest = nested(100, '"]\\""')
  expect(await readText(treeOf(deepest), 'config.json')).toBe(deepest)
})

test.each(['[{"a":'.repeat(51), nested(101), nested(400_000), `"\\"",${nested(101)}`])(
  'JSON that is nested too deeply is refused at once: %.20s',
  async (text) => {
    await expect(readText(treeOf(text), 'config.json')).rejects.toThrow(
      /^folder\/config.json: its lists and objects must be nested at most 100 deep$/,
    )
  },
)

test('a string without end takes one pass', async () => {
  const text = `"${'\\"'.repeat(2 ** 18)}`
  expect(await readText(treeOf(text), 'config.json')).toBe(text)
})
