import { expect, test } from 'vitest'
import { parseClasses as parse } from '../../src/classes/parse-classes.js'

const classes = ['disc', 'ring', '0', 'black, white']
const parseClasses = (asked: Parameters<typeof parse>[0], names: readonly string[]) =>
  parse(asked, { from: 'model', names })

test('names go before numbers, and a whole list may be one name', () => {
  expect(parseClasses('all', classes)).toEqual([0, 1, 2, 3])
  expect(parseClasses('ring, disc', classes)).toEqual([1, 0])
  expect(parseClasses('0,1,3', classes)).toEqual([2, 1, 3])
  expect(parseClasses('black, white', classes)).toEqual([3])
  expect(parseClasses(['black, white', 1, '0'], classes)).toEqual([3, 1, 2])
  expect(parseClasses(0, classes)).toEqual([0])
})

test('accents may be encoded in another way than in the name', () => {
  const café = 'caf\u00e9'
  expect(parseClasses('cafe\u0301', ['bar', café])).toEqual([1])
  expect(parseClasses(café, ['bar', 'Cafe\u0301'])).toEqual([1])
})

test('an unknown class is named, with the likely one and those there are', () => {
  expect(() => parseClasses('rnig', classes)).toThrow(
    'classes: the model has no class rnig; did you mean ring?; the classes are disc; ring; 0; black, white',
  )
  expect(() => parseClasses('4', classes)).toThrow('classes: there is no class 4; the classes are 0 to 3')
  expect(() => parseClasses(',', classes)).toThrow('classes must name at least one class, or be all')
  const many = Array.from({ length: 15 }, (_, i) => `class-${i}`)
  expect(() => parseClasses('zebra', many)).toThrow(/class-11 and 3 more$/)
})

test('numbers that are no class, and an empty list, are refused', () => {
  expect(() => parseClasses(4, classes)).toThrow('classes: there is no class 4; the classes are 0 to 3')
  expect(() => parseClasses(0.5, classes)).toThrow('classes: there is no class 0.5')
  expect(() => parseClasses([], classes)).toThrow('classes must name at least one class, or be all')
  expect(() => parse('cat', { from: 'numbers', names: ['0', '1'] })).toThrow(
    'the classes have no names, only the numbers 0 to 1',
  )
})
