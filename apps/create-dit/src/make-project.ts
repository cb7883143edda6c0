import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateError } from './create-error.js'
import { isOurs, neededTarballs, readTarballs, type Tarball } from './tarballs.js'

/** A project to be made. */
export interface Project {
  /** Absolute path; a folder that is new or empty. */
  readonly folder: string
  /** The name in its `package.json`, one that npm accepts. */
  readonly name: string
  readonly template: string
  /** A folder of packed tarballs, or null to install from the registry. */
  readonly packages: string | null
}

/** The folder of a project that holds tarballs of dit's packages. */
const TARBALL_FOLDER = '.dit-packages'

/** npm leaves `.gitignore` out of what it packs, so that templates have it under another name. */
const RENAMED: Readonly<Record<string, string>> = { _gitignore: '.gitignore' }

/** What building and running a template leaves in its folder: none of it belongs to a new project. */
const LEFT_OUT: ReadonlySet<string> = new Set(['node_modules', 'build', 'dist', 'runs'])

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Writes a project: the files of its template, with its name and with the versions of dit's packages that this version of
 * create-dit was tested with. Nothing is left behind if it fails.
 *
 * @returns paths of the files, relative to the folder
 * @throws CreateError if the folder is a file, is not empty or cannot be written, and for tarballs that cannot serve
 */
export function makeProject({ folder, name, template, packages }: Project): string[] {
  checkFolder(folder)
  const source = join(root, 'templates', template)
  const files = listFiles(source)
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as TemplateManifest
  checkOtherThanDependencies(name, manifest)
  const tarballs = packages === null ? [] : tarballsFor(packages, manifest)
  const text = `${JSON.stringify(withVersions({ ...manifest, name }, tarballs), null, 2)}\n`

  const before = existsSync(folder) ? readdirSync(folder) : null
  const firstMade = writing(folder, makeFolder)
  const written: string[] = []
  try {
    for (const file of files) {
      const target = join(dirname(file), RENAMED[basename(file)] ?? basename(file))
      writing(join(folder, target), (path) => {
        makeFolder(dirname(path))
        if (file === 'package.json') writeFileSync(path, text)
        else copyFileSync(join(source, file), path)
      })
      written.push(target)
    }
    for (const { path } of tarballs) {
      const target = join(TARBALL_FOLDER, basename(path))
      writing(join(folder, target), (to) => {
        makeFolder(dirname(to))
        copyFileSync(path, to)
      })
      written.push(target)
    }
    return written
  } catch (error) {
    removeMade(folder, firstMade, before ?? [])
    throw error
  }
}

/**
 * @throws CreateError if a project cannot be put there: it is a file, or a folder with more in it than `.git`
 */
export function checkFolder(folder: string): void {
  const stats = writing(folder, () => statSync(folder, { throwIfNoEntry: false }))
  if (stats === undefined) return
  if (!stats.isDirectory()) throw new CreateError(`create-dit: the project must be a folder (${folder} is a file)`)
  const entries = writing(folder, () => readdirSync(folder)).filter((entry) => entry !== '.git')
  if (entries.length === 0) return
  const some = entries.slice(0, 3).join(', ')
  throw new CreateError(
    `create-dit: the folder must be new or empty (${folder} has ${some}${entries.length > 3 ? ', ...' : ''})`,
  )
}

/**
 * Makes a folder and those that it lies in; returns the first that was made. Node's own, with `recursive`, never returns where the system
 * says that the parent is missing though it is there, as in `/proc`.
 */
function makeFolder(folder: string): string | undefined {
  if (existsSync(folder)) return undefined
  const parent = makeFolder(dirname(folder))
  mkdirSync(folder)
  return parent ?? folder
}

/** Runs what reads or writes `path`, and says in words why the system refuses it. */
export function writing<T>(path: string, action: (path: string) => T): T {
  try {
    return action(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === undefined ? undefined : REASONS[code]
    if (reason === undefined) throw error
    throw new CreateError(`create-dit: ${path} must be writable (${reason}: ${message})`)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file',
  ENOENT: 'it cannot be made there',
  EEXIST: 'something else is there',
  ENAMETOOLONG: 'the name is too long',
}

interface TemplateManifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

// Ours are the development dependencies of create-dit, whose ranges a release keeps up to date.
function withVersions(manifest: TemplateManifest, tarballs: readonly Tarball[]): TemplateManifest {
  const { devDependencies: ranges = {} } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as TemplateManifest
  const files = new Map(tarballs.map(({ name, path }) => [name, `file:${TARBALL_FOLDER}/${basename(path)}`]))
  const versioned = (needed: Readonly<Record<string, string>> = {}) =>
    Object.entries(needed).map(([name, range]) => [name, isOurs(name) ? (files.get(name) ?? ranges[name]) : range])
  const direct = new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }))
  // npm would look for what they need in the registry, unless the project names it.
  const indirect = [...files].filter(([name]) => !direct.has(name))
  const sorted = (entries: string[][]) => Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return {
    ...manifest,
    dependencies: sorted([...versioned(manifest.dependencies), ...indirect]),
    devDependencies: sorted(versioned(manifest.devDependencies)),
  }
}

function tarballsFor(folder: string, { dependencies, devDependencies }: TemplateManifest): Tarball[] {
  const wanted = Object.keys({ ...dependencies, ...devDependencies }).filter(isOurs)
  return neededTarballs(readTarballs(folder), wanted, folder)
}

// npm does not install a package in itself.
function checkOtherThanDependencies(name: string, { dependencies, devDependencies }: TemplateManifest): void {
  if (Object.hasOwn({ ...dependencies, ...devDependencies }, name)) {
    throw new CreateError(`create-dit: the project's name must not be that of a package that it needs (got '${name}')`)
  }
}

function listFiles(folder: string, within = ''): string[] {
  return readdirSync(join(folder, within), { withFileTypes: true }).flatMap((entry) => {
    const path = join(within, entry.name)
    if (!entry.isDirectory()) return [path]
    return LEFT_OUT.has(entry.name) ? [] : listFiles(folder, path)
  })
}

function removeMade(folder: string, firstMade: string | undefined, before: readonly string[]): void {
  if (firstMade !== undefined) {
    rmSync(firstMade, { recursive: true, force: true })
    return
  }
  for (const entry of readdirSync(folder).filter((name) => !before.includes(name))) {
    rmSync(join(folder, entry), { recursive: true, force: true })
  }
}
