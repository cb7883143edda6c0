import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What the release tools read of a `package.json`. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly bin?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/** A package of this repository and the absolute folder that it lives in. */
export interface Package {
  readonly name: string
  readonly group: 'packages' | 'apps'
  readonly folder: string
  readonly manifest: Manifest
}

/** The repository's root folder, with no slash at its end. */
export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')

/** Every package under `packages/` and `apps/` of `root`, in alphabetical order of their folders. */
export function readPackages(root: string = repositoryRoot): Package[] {
  return (['packages', 'apps'] as const).flatMap((group) =>
    readdirSync(join(root, group))
      .toSorted()
      .map((name) => join(root, group, name))
      .filter((folder) => existsSync(join(folder, 'package.json')))
      .map((folder) => {
        const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
        return { name: manifest.name, group, folder, manifest }
      }),
  )
}

/** The packages that are published: those not marked private. */
export function publishable(packages: readonly Package[]): Package[] {
  return packages.filter(({ manifest }) => manifest.private !== true)
}

/**
 * The packages of this repository that installing `name` brings along: itself, and what it depends on, transitively.
 *
 * @throws RangeError when `name` or a dependency under our scope is not a package of the repository
 */
export function closure(packages: readonly Package[], name: string): Package[] {
  const byName = new Map(packages.map((item) => [item.name, item]))
  const reached = new Map<string, Package>()
  const visit = (current: string, from: string) => {
    if (reached.has(current)) return
    const item = byName.get(current)
    if (item === undefined) throw new RangeError(`closure: ${from} needs ${current}, which is not in this repository`)
    reached.set(current, item)
    const { dependencies, optionalDependencies, peerDependencies } = item.manifest
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      if (needed.startsWith('@dit/')) visit(needed, current)
    }
  }
  visit(name, 'the caller')
  return [...reached.values()]
}
