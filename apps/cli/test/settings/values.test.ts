import { expect, test } from 'vitest'
import { colour } from '../../src/settings/values.js'

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
