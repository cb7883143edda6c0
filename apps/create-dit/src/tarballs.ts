import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CreateError } from './create-error.js'

/** A packed package, as `npm pack` writes it. */
export interface Tarball {
  readonly path: string
  readonly name: string
  /** Names of packages that it needs, peers that are not optional included. */
  readonly needs: readonly string[]
}

/**
 * The packages of a folder of tarballs, by name.
 *
 * @throws CreateError if there is no such folder, no tarball in it, one that cannot be read, or two of one package
 */
export function readTarballs(folder: string): Map<string, Tarball> {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new CreateError(`create-dit: --packages must be a folder of packed tarballs (there is no folder ${folder})`)
  }
  const files = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  if (files.length === 0) {
    throw new CreateError(`create-dit: --packages must be a folder of packed tarballs (${folder} has no .tgz file)`)
  }
  const tarballs = new Map<string, Tarball>()
  for (const file of files.toSorted()) {
    const tarball = readTarball(join(folder, file))
    const other = tarballs.get(tarball.name)
    if (other !== undefined) {
      throw new CreateError(
        `create-dit: --packages must have each package once (${tarball.path} and ${other.path} are both ${tarball.name})`,
      )
    }
    tarballs.set(tarball.name, tarball)
  }
  return tarballs
}

/**
 * The tarballs to install for some packages: theirs, and those of all of dit's packages that these need.
 *
 * @throws CreateError for a package that the folder does not have
 */
export function neededTarballs(
  tarballs: ReadonlyMap<string, Tarball>,
  names: readonly string[],
  folder: string,
): Tarball[] {
  const found = new Map<string, Tarball>()
  const visit = (name: string, from: string) => {
    if (found.has(name)) return
    const tarball = tarballs.get(name)
    if (tarball === undefined) {
      throw new CreateError(
        `create-dit: --packages must have all that the project needs (${from} needs ${name}, which is not in ${folder})`,
      )
    }
    found.set(name, tarball)
    for (const needed of tarball.needs.filter(isOurs)) visit(needed, name)
  }
  for (const name of names) visit(name, 'the template')
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whether a package is one of dit's. */
export function isOurs(name: string): boolean {
  return name.startsWith('@dit/')
}

interface Manifest {
  readonly name: string
  readonly dependencies?: object
  readonly optionalDependencies?: object
  readonly peerDependencies?: object
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

function readTarball(path: string): Tarball {
  let manifest: Manifest
  try {
    manifest = JSON.parse(readMember(gunzipSync(readFileSync(path)), 'package/package.json')) as Manifest
    if (typeof manifest.name !== 'string') throw new TypeError('it has no name')
  } catch (error) {
    throw new CreateError(`create-dit: ${path} must be a package that npm packed (${(error as Error).message})`)
  }
  const { name, dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = manifest
  const peers = Object.keys(peerDependencies ?? {}).filter((peer) => peerDependenciesMeta?.[peer]?.optional !== true)
  return { path, name, needs: [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers] }
}

// A tar archive is headers of 512 bytes, each followed by its file, padded to a multiple of 512. npm writes its own names short.
function readMember(archive: Buffer, wanted: string): string {
  for (let at = 0; at + 512 <= archive.length;) {
    const text = (from: number, length: number) =>
      archive.toString('utf8', at + from, at + from + length).split('\0')[0]
    const size = Number.parseInt(text(124, 12).trim() || '0', 8)
    if (Number.isNaN(size)) break
    if (text(0, 100) === wanted) return archive.toString('utf8', at + 512, at + 512 + size)
    at += 512 * (1 + Math.ceil(size / 512))
  }
  throw new Error(`it holds no ${wanted}`)
}
