import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { neededTarballs, readTarballs } from '../src/tarballs.js'
import { writeTarball } from './write-tarball.js'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'create-dit-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('finds what packages need, peers included unless they are optional, and nothing of others', () => {
  writeTarball(join(folder, 'a.tgz'), { name: '@dit/a', dependencies: { '@dit/b': '^0.1.0', sharp: '*' } })
  writeTarball(join(folder, 'b.tgz'), {
    name: '@dit/b',
    peerDependencies: { '@dit/c': '*', '@dit/d': '*' },
    peerDependenciesMeta: { '@dit/d': { optional: true } },
  })
  writeTarball(join(folder, 'c.tgz'), { name: '@dit/c', optionalDependencies: { '@dit/a': '*' } })
  writeTarball(join(folder, 'e.tgz'), { name: '@dit/e' })
  writeFileSync(join(folder, 'README.md'), 'no tarball')

  const tarballs = readTarballs(folder)
  expect([...tarballs.keys()]).toEqual(['@dit/a', '@dit/b', '@dit/c', '@dit/e'])
  expect(neededTarballs(tarballs, ['@dit/a'], folder).map(({ name }) => name)).toEqual(['@dit/a', '@dit/b', '@dit/c'])
})

test('says what is wrong with a folder of tarballs', () => {
  const none = join(folder, 'none')
  expect(() => readTarballs(none)).toThrow(
    `create-dit: --packages must be a folder of packed tarballs (there is no folder ${none})`,
  )
  expect(() => readTarballs(folder)).toThrow(
    `create-dit: --packages must be a folder of packed tarballs (${folder} has no .tgz file)`,
  )
  writeTarball(join(folder, 'a.tgz'), { name: '@dit/a', dependencies: { '@dit/b': '^0.1.0' } })
  expect(() => neededTarballs(readTarballs(folder), ['@dit/a'], folder)).toThrow(
    `create-dit: --packages must have all that the project needs (@dit/a needs @dit/b, which is not in ${folder})`,
  )
  expect(() => neededTarballs(readTarballs(folder), ['@dit/x'], folder)).toThrow('(the template needs @dit/x, which')
  writeTarball(join(folder, 'a-2.tgz'), { name: '@dit/a' })
  expect(() => readTarballs(folder)).toThrow(
    `--packages must have each package once (${join(folder, 'a.tgz')} and ${join(folder, 'a-2.tgz')} are both @dit/a)`,
  )
})

test('says so of a file that is no package', () => {
  const path = join(folder, 'a.tgz')
  writeFileSync(path, 'text')
  expect(() => readTarballs(folder)).toThrow(/^create-dit: .*a\.tgz must be a package that npm packed \(.*header/)
  writeTarball(path, {})
  expect(() => readTarballs(folder)).toThrow(`create-dit: ${path} must be a package that npm packed (it has no name)`)
})
