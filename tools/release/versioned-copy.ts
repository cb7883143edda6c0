import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { runOrThrow } from './run.js'
import { versionProblems } from './versions.js'
import { publishable, readPackages, repositoryRoot, type Package } from './workspace.js'

/** What a release would make of the packages. */
export interface Versioned {
  /** The packages that are published, as they are. */
  readonly before: readonly Package[]
  /** The same in the copy, with the versions and ranges that the release would give them. */
  readonly after: readonly Package[]
  /** What is wrong with these versions, one line each. */
  readonly problems: string[]
}

/** Copies the repository, with what is built, and takes `changeset version` of a release in the copy. Nothing else changes. */
export async function versionedCopy(copy: string): Promise<Versioned> {
  copyRepository(copy)
  const before = publishable(readPackages(copy))
  const askedMajors = new Set(readChangesets(copy).flatMap(namesAskedAsMajor))

  // `changeset version` as the release does it: bumps versions and ranges, writes changelogs, removes the changesets.
  const changeset = join(repositoryRoot, 'node_modules', '@changesets', 'cli', 'bin.js')
  await runOrThrow(process.execPath, [changeset, 'version'], { cwd: copy, env: { ...process.env, CI: 'true' } })

  const after = publishable(readPackages(copy))
  return { before, after, problems: versionProblems(before, after, askedMajors) }
}

// What is under version control or built; the tools come from the installed node_modules.
function copyRepository(copy: string): void {
  const anywhere = new Set(['node_modules', '.git', '.turbo'])
  const atRoot = new Set(['runs', 'coverage'].map((name) => join(repositoryRoot, name)))
  const filter = (path: string) => !anywhere.has(basename(path)) && !atRoot.has(path)
  cpSync(repositoryRoot, copy, { recursive: true, filter })
  symlinkSync(join(repositoryRoot, 'node_modules'), join(copy, 'node_modules'), 'junction')
}

function readChangesets(copy: string): string[] {
  const folder = join(copy, '.changeset')
  const names = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md')
  return names.map((name) => readFileSync(join(folder, name), 'utf8'))
}

function namesAskedAsMajor(changeset: string): string[] {
  return [...changeset.matchAll(/^['"]?(@dit\/[\w-]+|create-dit)['"]?:\s*major\s*$/gm)].map(([, name]) => name)
}
