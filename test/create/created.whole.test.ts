import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packAll } from '../../tools/release/pack.js'
import { CREATED, createdProblems } from '../../tools/release/try-created.js'
import { closure, readPackages, repositoryRoot } from '../../tools/release/workspace.js'

// Needs a build, and for what is not ours the registry or npm's cache of it.
const work = mkdtempSync(join(tmpdir(), 'dit-created-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

let tarballs: Awaited<ReturnType<typeof packAll>>
beforeAll(async () => {
  const all = readPackages()
  const { manifest } = all.find(({ name }) => name === 'create-dit')!
  const names = new Set(['create-dit', ...Object.keys(manifest.devDependencies ?? {})])
  const needed = new Set([...names].flatMap((name) => closure(all, name)))
  tarballs = await packAll(repositoryRoot, [...needed], join(work, 'tarballs'))
}, 300_000)

test.each(CREATED)(
  'a project of the template %s, made by the packed create-dit, installs, type-checks and runs all its scripts',
  async (template) => {
    expect(await createdProblems(tarballs, template, join(work, template))).toEqual([])
  },
  1_500_000,
)
