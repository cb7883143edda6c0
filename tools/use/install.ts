import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { packAll } from '../release/pack.js'
import { run } from '../release/run.js'
import { type Package, repositoryRoot } from '../release/workspace.js'
import { isInside, type ProjectManifest, TARBALL_FOLDER, UseError } from './plan.js'

/**
 * Reads a project's `package.json`; null if there is none yet, or no folder.
 *
 * @throws UseError if the folder above it is not there, or it lies in the clone, or belongs to another package manager than npm
 */
export function readProject(project: string): ProjectManifest | null {
  const isNew = !existsSync(project)
  if (isNew && !existsSync(dirname(project))) {
    throw new UseError(`use: there is no folder ${dirname(project)} to make ${basename(project)} in; check the path`)
  }
  if (!isNew && !statSync(project).isDirectory())
    throw new UseError(`use: the project must be a folder (${project} is a file)`)
  if (isInside(project, repositoryRoot)) {
    throw new UseError(
      `use: the project must lie outside the clone, where all packages resolve anyway (got ${project})`,
    )
  }
  const path = join(project, 'package.json')
  if (!existsSync(path)) return null
  const others = ['pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'].filter((name) =>
    existsSync(join(project, name)),
  )
  if (others.length > 0) {
    throw new UseError(`use: installs with npm only, and ${project} has a ${others[0]}`)
  }
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProjectManifest
  } catch (error) {
    throw new UseError(`use: ${path} must be JSON (${(error as Error).message})`)
  }
}

/** Writes the `package.json` of a project that has none, and makes its folder: private, and of modules, since our packages are. */
export function startProject(project: string): void {
  const name =
    basename(project)
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'my-app'
  const manifest = { name, version: '0.0.0', private: true, type: 'module' }
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

/**
 * Packs packages into the project and installs them there by npm, which adds them to `dependencies`.
 *
 * A tarball's name holds a digest of its bytes: npm keeps what it has installed as long as the name is the same.
 * Tarballs of an earlier call are removed once the new ones are installed.
 *
 * @throws UseError with npm's own words if it cannot install them; `package.json` is then as it was
 */
export async function installInto(project: string, packages: readonly Package[]): Promise<void> {
  const folder = join(project, TARBALL_FOLDER)
  mkdirSync(folder, { recursive: true })
  const fresh = mkdtempSync(join(folder, 'packing-'))
  try {
    const tarballs = await packAll(repositoryRoot, packages, fresh)
    const names = [...tarballs.values()].map(({ path }) => {
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 10)
      const name = basename(path).replace(/\.tgz$/, `-${digest}.tgz`)
      renameSync(path, join(folder, name))
      return name
    })
    const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
    const specifications = names.map((name) => `./${TARBALL_FOLDER}/${name}`)
    const { code, stdout, stderr } = await run('npm', ['install', ...flags, ...specifications], { cwd: project })
    if (code !== 0) throw new UseError(`use: npm could not install them in ${project}\n${stdout}${stderr}`.trimEnd())
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.tgz') && !names.includes(name)) rmSync(join(folder, name))
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}
