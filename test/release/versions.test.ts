import { expect, test } from 'vitest'
import { caretAdmits, versionProblems } from '../../tools/release/versions.js'
import type { Manifest, Package } from '../../tools/release/workspace.js'

const item = (name: string, version: string, dependencies: Record<string, string> = {}): Package => ({
  name,
  group: 'packages',
  folder: name,
  manifest: { name, version, dependencies } satisfies Manifest,
})

test.each([
  ['^1.2.3', '1.9.0', true],
  ['^1.2.3', '1.2.2', false],
  ['^1.2.3', '2.0.0', false],
  ['^0.2.3', '0.2.4', true],
  ['^0.2.3', '0.2.2', false],
  ['^0.2.3', '0.3.0', false],
  ['^0.0.0', '0.0.0', true],
  ['^0.0.0', '0.1.0', false],
  ['^0.0.3', '0.0.4', false],
])('%s admits %s: %s', (range, version, admitted) => {
  expect(caretAdmits(range, version)).toBe(admitted)
})

test('a range that is no caret range is an error', () => {
  expect(() => caretAdmits('*', '1.0.0')).toThrow('caretAdmits: a range must start with ^ (it is *)')
})

test('a first release at 0.1.0 with its ranges moved along is sound', () => {
  const before = [item('a', '0.0.0'), item('b', '0.0.0', { a: '^0.0.0' })]
  const after = [item('a', '0.1.0'), item('b', '0.1.0', { a: '^0.1.0' })]
  expect(versionProblems(before, after, new Set())).toEqual([])
})

test('reports a package left unreleased, a first release at another version, and a range left behind', () => {
  const before = [item('a', '0.0.0'), item('b', '0.0.0'), item('c', '0.1.0', { a: '^0.0.0' })]
  const after = [item('a', '0.0.1'), item('b', '0.0.0'), item('c', '0.1.1', { a: '^0.0.0' })]
  expect(versionProblems(before, after, new Set())).toEqual([
    'a would first be released as 0.0.1, which should be 0.1.0',
    'b was never released and no changeset names it',
    'c needs a ^0.0.0, which the released 0.0.1 is outside',
  ])
})

test('a major must be asked for', () => {
  const [before, after] = [[item('a', '0.4.0')], [item('a', '1.0.0')]]
  expect(versionProblems(before, after, new Set())).toEqual([
    'a would go from 0.4.0 to 1.0.0 and no changeset asks for a major',
  ])
  expect(versionProblems(before, after, new Set(['a']))).toEqual([])
})
