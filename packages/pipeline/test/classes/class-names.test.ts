import { expect, test } from 'vitest'
import { classNamesOf, namesFromId2label, shortName } from '../../src/classes/class-names.js'
import { IMAGENET_CLASSES } from '../../src/classes/imagenet-classes.js'
import { parseClasses } from '../../src/classes/parse-classes.js'

const imagenet = await classNamesOf(1000, null)
const parseImagenet = (text: string) => parseClasses(text, imagenet)

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
  expect(shortName(imagenet, 1)).toBe('goldfish')
})

test.each([
  ['crane', 'classes: several classes are called crane; give the number: 134 (crane) or 517 (crane)'],
  ['golden retreiver', 'classes: ImageNet has no class golden retreiver; did you mean golden retriever?'],
  ['1000', 'classes: there is no class 1000; the classes are 0 to 999'],
  [' , ', 'classes must name at least one class, or be all'],
])('refuses %s', (text, message) => {
  expect(() => parseImagenet(text)).toThrow(message)
})

test('own names win over those of ImageNet, and other models without names have numbers', async () => {
  const names = Array.from({ length: 1000 }, (_, label) => `mine${label}, other${label}`)
  const own = await classNamesOf(1000, { from: 'id2label', names })
  expect(own.from).toBe('id2label')
  expect(parseClasses('mine1,OTHER3', own)).toEqual([1, 3])
  expect(shortName(own, 7)).toBe('mine7')
  expect(() => parseClasses('goldfish', own)).toThrow(
    'the model has no class goldfish; the classes are mine0, other0; mine1, other1;',
  )
  expect(await classNamesOf(3, null)).toEqual({ from: 'numbers', names: ['0', '1', '2'] })
  expect(shortName({ from: 'model', names: ['cats, dogs'] }, 0)).toBe('cats, dogs')
})

test('id2label names classes by their labels, in any order, and the rest by number', () => {
  expect(namesFromId2label({ 2: 'c', 0: 'a' }, 4)).toEqual(['a', '1', 'c', '3'])
})

test.each([
  [[], 'id2label must be an object from label to name'],
  [{ 4: 'e' }, 'id2label names a class "4", but the network has the classes 0 to 3'],
  [{ cat: 1 }, 'id2label names a class "cat"'],
  [{ 1: 2 }, 'id2label must give class 1 a text as its name'],
])('id2label %j is refused', (id2label, problem) => {
  expect(() => namesFromId2label(id2label, 4)).toThrow(problem)
})
