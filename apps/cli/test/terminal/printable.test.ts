import { expect, test } from 'vitest'
import { printable, printableName } from '../../src/terminal/printable.js'

test('control characters are written out; letters of any script and line breaks stay', () => {
  expect(printable('a\u001b[31mb\u0007\u009b\n日本 é')).toBe('a\\x1b[31mb\\x07\\x9b\n日本 é')
  expect(printable('photo\u202egpj.exe')).toBe('photo\\u202egpj.exe')
  expect(printableName('a\nb')).toBe('a\\nb')
})
