import { isAbsolute, relative, resolve } from 'node:path'
import { closure, type Package } from '../release/workspace.js'

/** The folder of a project that holds our tarballs. */
export const TARBALL_FOLDER = '.dit-packages'

/** What one call of `npm run use` was asked for: a project's folder and the packages to install in it. */
export interface Request {
  readonly project: string
  readonly names: readonly string[]
}

/** The packages that a project gets: those it asks for, now or before, and those that they need. */
export interface Plan {
  readonly asked: readonly string[]
  readonly refreshed: readonly string[]
  readonly needed: readonly string[]
  readonly packages: readonly Package[]
}

/** What the plan reads of the project's own `package.json`. */
export interface ProjectManifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** A mistake of whoever called: shown without a stack trace. */
export class UseError extends Error {
  override readonly name = 'UseError'
}

/**
 * Reads `<project> [package ...]`; packages may leave out `@dit/`.
 *
 * @param cwd where the command was called: the project's folder is relative to it
 * @throws UseError without a project, or with an option
 */
export function readRequest(args: readonly string[], cwd: string): Request {
  const option = args.find((argument) => argument.startsWith('-'))
  if (option !== undefined) throw new UseError(`use: there are no options (got ${option})\n${USAGE}`)
  const [project, ...names] = args
  if (project === undefined) throw new UseError(`use: a project's folder must be given\n${USAGE}`)
  if (project.startsWith('@')) throw new UseError(`use: a project's folder must come first (got ${project})\n${USAGE}`)
  return { project: resolve(cwd, project), names: names.map(fullName) }
}

const USAGE =
  'usage: npm run use -- <project> [package ...]    for example: npm run use -- ../my-app sampler backend-cpu'

const fullName = (name: string) => (name.startsWith('@') ? name : `@dit/${name}`)

/**
 * Chooses the packages to pack. Those that the project has from an earlier call are packed again, so that all come from
 * one state of the clone.
 *
 * @param all      the packages of the clone that can be published
 * @param manifest the project's `package.json`, or null where there is none
 * @throws UseError for a package that the clone does not have, and if there is nothing to install
 */
export function planUse(all: readonly Package[], names: readonly string[], manifest: ProjectManifest | null): Plan {
  const known = new Set(all.map(({ name }) => name))
  for (const name of names) {
    if (!known.has(name)) throw new UseError(`use: there is no package ${name}${didYouMean(name, [...known])}`)
  }
  const before = installedBefore(manifest)
  const lost = before.find((name) => !known.has(name))
  if (lost !== undefined) {
    throw new UseError(`use: the project has ${lost}, which this clone does not; first run: npm uninstall ${lost}`)
  }
  if (names.length === 0 && before.length === 0) {
    throw new UseError(`use: name the packages to install: ${[...known].map(shortName).toSorted().join(', ')}`)
  }
  const asked = [...new Set(names)]
  const refreshed = before.filter((name) => !asked.includes(name))
  const packages = new Map([...asked, ...refreshed].flatMap((name) => closure(all, name)).map((one) => [one.name, one]))
  const needed = [...packages.keys()].filter((name) => !asked.includes(name) && !refreshed.includes(name)).toSorted()
  return { asked, refreshed, needed, packages: [...packages.values()] }
}

/** Names under our scope whose specification in a `package.json` points into the folder of tarballs. */
function installedBefore(manifest: ProjectManifest | null): string[] {
  const all = Object.entries({ ...manifest?.devDependencies, ...manifest?.dependencies })
  return all.filter(([name, from]) => name.startsWith('@dit/') && isOurTarball(from)).map(([name]) => name)
}

const isOurTarball = (from: string) =>
  from.startsWith(`file:${TARBALL_FOLDER}/`) || from.startsWith(`file:./${TARBALL_FOLDER}/`)

/** Whether a folder is the clone or lies in it, where npm would install into the clone. */
export function isInside(folder: string, root: string): boolean {
  const path = relative(root, folder)
  return path === '' || (!path.startsWith('..') && !isAbsolute(path))
}

const shortName = (name: string) => name.replace('@dit/', '')

// A name that contains the other, or one that two changes of a letter lead to.
function didYouMean(name: string, known: readonly string[]): string {
  const wanted = shortName(name)
  const distances = known.map((one) => ({ one, distance: editDistance(wanted, shortName(one)) }))
  const [nearest] = distances.toSorted((a, b) => a.distance - b.distance)
  const containing = known.filter((one) => shortName(one).includes(wanted) || wanted.includes(shortName(one)))
  const guesses = nearest !== undefined && nearest.distance <= 2 ? [nearest.one] : containing
  const list = known.map(shortName).toSorted().join(', ')
  return guesses.length > 0 ? `; did you mean ${guesses.join(' or ')}?` : `; there are ${list}`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]
}
