import { expect, test } from 'vitest'
import { matchClasses } from '../../src/fine-tune/match-classes.js'

const named = { from: 'model', names: ['elf', 'dwarf', 'caf\u00E9'] } as const

test('classes find their rows by name, however accents are written', () => {
  const { rows, changes } = matchClasses(named, ['cafe\u0301', 'orc', 'elf'], 'mean')
  expect(rows).toEqual([2, null, 0])
  expect(changes).toEqual([
    '2 classes found by name: cafe\u0301, elf',
    '1 new class: orc; their label rows begin as the mean of the old ones',
    '1 class of the weights left out: dwarf',
  ])
})

test('the same classes in the same order are no change, in another order they are', () => {
  expect(matchClasses(named, [...named.names], 'mean').changes).toEqual([])
  expect(matchClasses(named, [...named.names].toReversed(), 'mean').changes).toEqual([
    '3 classes found by name: caf\u00E9, dwarf, elf',
  ])
})

test('a synonym counts where names are lists of them', () => {
  const imagenet = { from: 'imagenet', names: ['tench, Tinca tinca', 'goldfish, Carassius auratus'] } as const
  expect(matchClasses(imagenet, ['goldfish'], 'normal').rows).toEqual([1])
})

test('classes that weights only number are taken in their order if there are as many, else they are new', () => {
  const numbered = { from: 'numbers', names: ['0', '1'] } as const
  expect(matchClasses(numbered, ['cat', 'dog'], 'mean')).toEqual({
    rows: [0, 1],
    changes: ['the weights do not name their 2 classes: label rows are taken in their order'],
  })
  expect(matchClasses(numbered, ['1', '0'], 'mean').rows).toEqual([1, 0])
  const { rows, changes } = matchClasses(numbered, ['cat', 'dog', 'cow'], 'normal')
  expect(rows).toEqual([null, null, null])
  expect(changes[0]).toBe('3 new classes: cat, dog, cow; their label rows begin as normal draws of deviation 0.02')
})

test('long lists are cut', () => {
  const many = Array.from({ length: 20 }, (_, i) => `class ${i}`)
  expect(matchClasses(named, many, 'mean').changes[0]).toContain('class 11 and 8 more; their')
})
