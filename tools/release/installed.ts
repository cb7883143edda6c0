import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { installedPackages } from './readme.js'
import { closure, type Package } from './workspace.js'

/** What a project has of ours after the install line of a README: what that names, such as an engine, and all that these need. */
export function installed(packages: readonly Package[], { name, folder }: Package): Package[] {
  const readme = join(folder, 'README.md')
  const named = existsSync(readme) ? installedPackages(readFileSync(readme, 'utf8')) : []
  const ours = [name, ...named.filter((other) => other.startsWith('@dit/'))]
  return [...new Set(ours.flatMap((other) => closure(packages, other)))]
}
