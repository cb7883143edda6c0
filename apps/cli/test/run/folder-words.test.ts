import type { FolderScan, ImageFolder } from '@dit/data/node'
import { expect, test } from 'vitest'
import { foundText, leftOutText, swallowedText, transparencyText, wrongFolderText } from '../../src/run/folder-words.js'

const scan = (classes: string[], innerFolders: string[][] | null = null): FolderScan => ({
  classes,
  innerFolders,
  length: 1200,
  leftOut: [],
})

test('the first dozen of the classes are named, the rest counted', () => {
  expect(foundText({ ...scan(['a\n']), length: 1 })).toBe(String.raw`found  1 picture in 1 class: a\n`)
  const many = Array.from({ length: 1015 }, (_, i) => `n${i}`)
  expect(foundText(scan(many))).toBe(
    'found  1,200 pictures in 1,015 classes: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11 and 1,003 more',
  )
})

test('what is left out is counted by kind, with what to do about pictures', () => {
  expect(leftOutText([])).toBeNull()
  expect(
    leftOutText([
      { kind: '.bmp', count: 3, isPicture: true },
      { kind: 'outside the class folders', count: 2, isPicture: true },
      { kind: '.txt', count: 1500, isPicture: false },
    ]),
  ).toBe('left out: 3 .bmp (not decoded; convert them to PNG), 2 outside the class folders, 1,500 .txt')
})

test.each([
  [['train', 'val'], 'the classes are train, val, named like parts of a data set; did you mean --data x/train?'],
  [
    ['Test', 'Training'],
    'the classes are Test, Training, named like parts of a data set; did you mean --data x/Training?',
  ],
  [['val'], 'the only class is val, named like a part of a data set; did you mean --data x/val?'],
  [['train', 'bus'], null],
  [['dev-kit', 'test1'], null],
])('classes %j: %s', (classes, expected) => expect(wrongFolderText('x', scan(classes))).toBe(expected))

test('class folders that hold nothing but folders are doubted, unless it is always one of the same name', () => {
  expect(wrongFolderText('x', scan(['a', 'b'], [['c', 'd'], ['c']]))).toBe(
    'no class folder holds a picture itself: a has the folders c, d. If those are the classes, give --data x/a',
  )
  expect(wrongFolderText('x', scan(['a', 'b'], [['images'], ['images']]))).toBeNull()
  expect(wrongFolderText('x', scan(['imagenet'], [['train']]))).toContain('give --data x/imagenet')
})

const folder = { length: 300, transparent: ['a/1.png', 'a/2.png'], swallowed: ['a/2.png'] } as unknown as ImageFolder

test('says what became of transparent pictures', () => {
  expect(transparencyText({ ...folder, transparent: [] }, '#ffffff', false)).toBeNull()
  expect(transparencyText(folder, '#ffffff', false)).toBe(
    '2 of 300 pictures are transparent: put on white (--background)',
  )
  expect(transparencyText(folder, '#0a64ff', false)).toContain('put on #0a64ff (--background)')
  expect(transparencyText(folder, null, false)).toBe(
    '2 of 300 pictures have an alpha channel, which is dropped as in the reference: colours hidden under it show',
  )
  expect(transparencyText(folder, null, true)).toContain('which is dropped as when the run began')
})

test('warns of pictures that nearly vanish on the background, and names another', () => {
  expect(swallowedText({ ...folder, swallowed: [] }, '#ffffff')).toBeNull()
  expect(swallowedText(folder, '#ffffff')).toBe(
    '1 of the 2 transparent pictures nearly vanish on white, such as a/2.png; another --background, such as black, may show them',
  )
  expect(swallowedText(folder, '#000000')).toContain(
    'nearly vanish on black, such as a/2.png; another --background, such as white',
  )
})
