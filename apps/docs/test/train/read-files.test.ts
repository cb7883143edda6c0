import { expect, test } from 'vitest'
import { classOf, readFiles } from '../../src/train/read-files.js'

test('the folder of a picture is its class', () => {
  expect(classOf('pets/cats/a.png')).toBe('cats')
  expect(classOf('cats/a.png')).toBe('cats')
  expect(classOf('a.png')).toBe('pictures')
})

test('files become pictures with classes; those that are none are named', async () => {
  const files = ['pets/dogs/1.png', 'pets/cats/2.png', 'pets/dogs/notes.txt', 'pets/dogs/3.png'].map((path) => ({
    name: path.split('/').at(-1)!,
    webkitRelativePath: path,
  }))
  const decode = async ({ name }: { readonly name: string }) =>
    name.endsWith('.png') ? new Uint8Array(12).fill(Number(name[0])) : null
  const { pictures, refused } = await readFiles(files, 2, decode)
  expect(pictures.classes).toEqual(['cats', 'dogs'])
  expect([...pictures.labels]).toEqual([1, 0, 1])
  expect([...pictures.pixels.subarray(12, 24)]).toEqual(new Array(12).fill(2))
  expect(refused).toEqual(['notes.txt'])
})
