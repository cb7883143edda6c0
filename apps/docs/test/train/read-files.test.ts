import { expect, test } from 'vitest'
import { classOf, GROUND, onGround, readFiles } from '../../src/train/read-files.js'

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
    name.endsWith('.png') ? { planes: new Uint8Array(12).fill(Number(name[0])), isTransparent: name === '2.png' } : null
  const { pictures, refused, numTransparent } = await readFiles(files, 2, decode)
  expect(pictures.classes).toEqual(['cats', 'dogs'])
  expect([...pictures.labels]).toEqual([1, 0, 1])
  expect([...pictures.pixels.subarray(12, 24)]).toEqual(new Array(12).fill(2))
  expect(refused).toEqual(['notes.txt'])
  expect(numTransparent).toBe(1)
})

test('transparent pixels lie on a mid grey, as the command line mixes them; opaque ones keep their levels', () => {
  const rgba = Uint8ClampedArray.of(10, 20, 30, 255, 255, 0, 0, 0, 255, 0, 100, 128, 1, 2, 3, 255)
  const { planes, isTransparent } = onGround(rgba)
  const mixed = (level: number) => Math.round((128 * level + 127 * GROUND) / 255)
  expect([...planes]).toEqual([10, GROUND, mixed(255), 1, 20, GROUND, mixed(0), 2, 30, GROUND, mixed(100), 3])
  expect(isTransparent).toBe(true)
  expect(onGround(Uint8ClampedArray.of(1, 2, 3, 255))).toEqual({ planes: Uint8Array.of(1, 2, 3), isTransparent: false })
})
