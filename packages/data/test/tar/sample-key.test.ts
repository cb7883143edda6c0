import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sampleKey } from '../../src/tar/sample-key.js'

const { names } = JSON.parse(readFileSync(new URL('../fixtures/webdataset.json', import.meta.url), 'utf8')) as {
  names: { name: string; split: [string, string] | [null, null] }[]
}

test.each(names)('$name is split as WebDataset splits it', ({ name, split: [key, field] }) => {
  expect(sampleKey(name)).toEqual(key === null ? null : { key, field: field.toLowerCase() })
})

test('a hidden file in a folder is no sample, though WebDataset takes the folder for its key', () => {
  expect(sampleKey('a/._1.jpg')).toBeNull()
})
