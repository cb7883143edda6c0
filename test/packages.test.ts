import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { publishable, readPackages, repositoryRoot } from '../tools/release/workspace.js'
import { listFiles, readText } from './sources.js'

/** Sources of more than this many lines hold two ideas, unless they are listed here with the reason. */
const MAX_LINES = 400
const LONG_FILES: Readonly<Record<string, string>> = {}

const packages = readPackages()
const licence = readText(join(repositoryRoot, 'LICENSE'))

test('no source is longer than 400 lines without a reason', () => {
  const long = packages
    .flatMap(({ folder }) => listFiles(join(folder, 'src')))
    .filter((path) => readText(path).split('\n').length - 1 > MAX_LINES)
    .map((path) => relative(repositoryRoot, path))
  expect(long.toSorted()).toEqual(Object.keys(LONG_FILES).toSorted())
})

describe.each(publishable(packages))('$name', ({ name, folder, manifest }) => {
  test('has a README that starts with its name', () => {
    expect(existsSync(join(folder, 'README.md')), 'README.md is missing').toBe(true)
    expect(readText(join(folder, 'README.md')).split('\n')[0]).toBe(`# ${name}`)
  })

  test("carries the repository's licence", () => {
    expect(readText(join(folder, 'LICENSE'))).toBe(licence)
  })

  test('was released, or has a changeset waiting', () => {
    expect(manifest.version !== '0.0.0' || waiting().has(name)).toBe(true)
  })

  test('is published publicly, as ECMAScript modules, with its types first', () => {
    const whole = manifest as unknown as Readonly<Record<string, unknown>>
    expect(whole).toMatchObject({ type: 'module', license: 'MIT', engines: { node: '>=20.19' } })
    expect(whole['publishConfig']).toMatchObject({ access: 'public' })
    expect(whole['sideEffects']).toBeDefined()
    for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
      if (entry.endsWith('.json') || typeof target === 'string') continue
      expect(Object.keys(target as object), entry).toEqual(['@dit/source', 'types', 'default'])
    }
  })
})

test('every changeset names packages that exist, and says something', () => {
  const names = new Set(packages.map(({ name }) => name))
  for (const { file, released, text } of changesets()) {
    expect(
      released.filter((name) => !names.has(name)),
      file,
    ).toEqual([])
    expect(released.length, file).toBeGreaterThan(0)
    expect(text.trim(), file).not.toBe('')
  }
})

function changesets() {
  const folder = join(repositoryRoot, '.changeset')
  const files = readdirSync(folder).filter((file) => file.endsWith('.md') && file !== 'README.md')
  return files.map((file) => {
    const [, head = '', text = ''] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(readText(join(folder, file))) ?? []
    const released = [...head.matchAll(/^['"]?([^'":]+)['"]?:\s*(?:patch|minor|major)\s*$/gm)].map(([, name]) => name)
    return { file, released, text }
  })
}

function waiting(): Set<string> {
  return new Set(changesets().flatMap(({ released }) => released))
}
