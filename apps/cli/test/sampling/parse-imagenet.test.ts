import { expect, test } from 'vitest'
import { IMAGENET_CLASSES } from '../../src/sampling/imagenet-classes.js'
import { imagenetName, parseImagenet } from '../../src/sampling/parse-imagenet.js'

test('there are 1,000 classes, each with a name', () => {
  expect(IMAGENET_CLASSES).toHaveLength(1000)
  expect(IMAGENET_CLASSES.every((names) => /^[A-Za-z]/.test(names) && names === names.trim())).toBe(true)
})

test("the classes of the reference's sampling script", () => {
  // 207 360 387 974 88 979 417 279, by the names in its repository's pictures.
  const names = 'golden retriever,otter,lesser panda,geyser,macaw,valley,balloon,Arctic fox'
  expect(parseImagenet(names)).toEqual([207, 360, 387, 974, 88, 979, 417, 279])
})

test('any name, any case, numbers, all', () => {
  expect(parseImagenet('red panda, TENCH ,999')).toEqual([387, 0, 999])
  expect(parseImagenet('all')).toHaveLength(1000)
  expect(imagenetName(1)).toBe('goldfish')
})

test.each([
  ['crane', '--classes: crane is the name of several classes; give a number: 134 (crane) or 517 (crane)'],
  ['golden retreiver', '--classes: unknown class golden retreiver of ImageNet; did you mean golden retriever?'],
  ['1000', '--classes: there is no class 1000; classes are 0 to 999'],
  [' , ', '--classes must name a class, such as golden retriever, or be all'],
])('refuses %s', (text, message) => {
  expect(() => parseImagenet(text)).toThrow(message)
})
