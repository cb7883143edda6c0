import type { CommentDisplayPart } from 'typedoc'
import { expect, test } from 'vitest'
import { formulasAsCode } from '../../src/build/formulas-as-code.js'

const mended = (...parts: CommentDisplayPart[]) =>
  formulasAsCode(parts)
    .map(({ text }) => text)
    .join('')

test('an equation set in by two spaces becomes code, without its margin', () => {
  expect(mended({ kind: 'text', text: 'Mixes.\n\n  xt = a x0\n     + b eps\n\nSource.' })).toBe(
    'Mixes.\n\n```text\nxt = a x0\n   + b eps\n```\n\nSource.',
  )
})

test('prose whose second line is set in stays prose', () => {
  const text = 'Mixes two\n  things.'
  expect(mended({ kind: 'text', text })).toBe(text)
})

test('code within a line stays code', () => {
  expect(
    mended({ kind: 'text', text: 'Of ' }, { kind: 'code', text: '`x`' }, { kind: 'text', text: '.\n\n  y = x' }),
  ).toBe('Of `x`.\n\n```text\ny = x\n```')
})

test('a comment with a link in it is left alone', () => {
  const parts: CommentDisplayPart[] = [
    { kind: 'inline-tag', tag: '@link', text: 'x' },
    { kind: 'text', text: '\n\n  y = x' },
  ]
  expect(formulasAsCode(parts)).toEqual(parts)
})
