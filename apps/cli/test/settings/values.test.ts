import { expect, test } from 'vitest'
import { colour, integer, number } from '../../src/settings/values.js'

test.each([
  ['white', '#ffffff'],
  ['Black', '#000000'],
  ['grey', '#808080'],
  ['gray', '#808080'],
  ['#F80', '#ff8800'],
  ['f80', '#ff8800'],
  [' #0a64FF ', '#0a64ff'],
  ['0a64ff', '#0a64ff'],
])('the colour %s is %s', (text, expected) => expect(colour(text)).toBe(expected))

test.each(['', 'mauve', '#ffff', '#gggggg', 'rgb(1,2,3)', 'constructor'])('%j is no colour', (text) => {
  expect(() => colour(text)).toThrow('It must be white, black, grey, gray, red, green, blue, or digits such as ff8000.')
})

test.each([
  ['9007199254740992', 'It must be at most 9007199254740991.'],
  ['9007199254740993', 'It must be at most 9007199254740991.'],
  ['1e309', 'It must be a number of at most 1.7976931348623157e+308.'],
  ['-1', 'It must be a whole number, 0 or more.'],
  ['1.5', 'It must be a whole number, 0 or more.'],
  ['x1', 'It must be a number.'],
])('%s is refused as a seed: %s', (text, problem) => expect(() => integer()(text)).toThrow(problem))

test.each([
  ['-1e400', 'It must be a number of at most 1.7976931348623157e+308.'],
  ['Infinity', 'It must be a number.'],
  ['', 'It must be a number.'],
])('%j is refused as a number: %s', (text, problem) => expect(() => number()(text)).toThrow(problem))
