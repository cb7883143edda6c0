import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { publishable, readPackages } from '../tools/release/workspace.js'
import { readText, sourceOf } from './sources.js'

// A README must not promise what a package does not have, nor leave out what it has. Types need no row of their own.

const packages = publishable(readPackages()).filter(({ manifest }) => manifest.exports?.['.'] !== undefined)

describe.each(packages)('the README of $name', (item) => {
  const exported = Object.keys(item.manifest.exports ?? {}).flatMap((entry) => {
    const path = sourceOf(item, entry)
    return path === undefined ? [] : readExports(readText(path))
  })
  const readme = readText(join(item.folder, 'README.md'))

  test('names every function, class and constant that the package exports', () => {
    const named = new Set(readme.match(/[A-Za-z_]\w*/g))
    const values = exported.filter(({ isType }) => !isType).map(({ name }) => name)
    expect(values.filter((name) => !named.has(name))).toEqual([])
  })

  test('lists no export that is not there', () => {
    const there = new Set(exported.map(({ name }) => name))
    expect(there.size).toBeGreaterThan(0)
    expect(readListed(readme).filter((name) => !there.has(name))).toEqual([])
  })
})

test('exports are read as they are written', () => {
  const source = `
    /** export { comment } */
    export { one, type Two, three as four } from './one.js'
    export type { Five } from './five.js'
    export const six = 6
    export async function* seven() {}
    export interface Eight {}
  `
  const names = readExports(source).map(({ name, isType }) => (isType ? `type ${name}` : name))
  expect(names).toEqual(['one', 'type Two', 'four', 'type Five', 'six', 'seven', 'type Eight'])
})

test('a row of a table lists the names of its first column, without arguments and options', () => {
  const table = '| export | what |\n| --- | --- |\n| `a(x, y)`, `B` of `/node`, `c d` with `{ size }`, ... | `e` |'
  expect(readListed(table)).toEqual(['a', 'B', 'c', 'd'])
})

function readExports(source: string): { readonly name: string; readonly isType: boolean }[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const lists = [...code.matchAll(/^\s*export (type )?\{([^}]*)\}/gm)].flatMap(([, type, list]) =>
    list
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part) => ({
        name: part.replace(/^type /, '').replace(/^.* as /, ''),
        isType: type !== undefined || part.startsWith('type '),
      })),
  )
  const declared = /^\s*export (?:async |abstract )*(const|function|class|interface|type)\b\*?\s+(\w+)/gm
  const own = [...code.matchAll(declared)].map(([, kind, name]) => ({
    name,
    isType: kind === 'interface' || kind === 'type',
  }))
  return [...lists, ...own]
}

/** The names in the first column of every table of exports. */
function readListed(markdown: string): string[] {
  const cells = markdown.split('\n').flatMap((line) => /^\|((?:[^|\\]|\\.)*)\|/.exec(line)?.[1] ?? [])
  return cells
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code.replace(/[({].*$/, '')))
    .flatMap((code) => code.split(/[\s,]+/))
    .filter((word) => /^[A-Za-z_]\w*$/.test(word))
}
