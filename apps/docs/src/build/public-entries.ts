import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './paths.js'

/** A public entry of a package. */
export interface Entry {
  /** What is imported: `@dit/tensor/conformance`. */
  readonly specifier: string
  /** Its page below `reference/`: `tensor/conformance`, or `tensor/api` for the root entry. */
  readonly page: string
  /** Its source, below the repository's root. */
  readonly source: string
}

/** The public entries of all packages, those of one package beside each other. */
export function publicEntries(): Entry[] {
  return readdirSync(join(repository, 'packages'))
    .toSorted()
    .filter((name) => existsSync(join(repository, 'packages', name, 'package.json')))
    .flatMap((name) => {
      const manifest = JSON.parse(readFileSync(join(repository, 'packages', name, 'package.json'), 'utf8')) as {
        readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
      }
      return Object.entries(manifest.exports).flatMap(([entry, target]) =>
        typeof target === 'string' || target['@dit/source'] === undefined
          ? []
          : [
              {
                specifier: `@dit/${name}${entry.slice(1)}`,
                page: `${name}/${entry === '.' ? 'api' : entry.slice(2)}`,
                source: join('packages', name, target['@dit/source']),
              },
            ],
      )
    })
}
