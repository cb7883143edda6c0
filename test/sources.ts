import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repositoryRoot, type Package } from '../tools/release/workspace.js'

/** Every file under a folder, as absolute paths, without what is installed, built or made by a run. */
export function listFiles(folder: string): string[] {
  const left = new Set(['node_modules', 'dist', '.git', '.turbo', '.temp', '.tensorflow', '.mesa'])
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !left.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return path === join(repositoryRoot, 'runs') ? [] : listFiles(path)
      return entry.isFile() ? [path] : []
    })
}

/** What a source file imports or re-exports; `isType` where nothing of it is left at run time. */
export interface Import {
  readonly specifier: string
  readonly isType: boolean
}

/** The imports of a TypeScript source, static and dynamic, with comments and their examples left out. */
export function readImports(source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const fixed = /^\s*(?:import|export)\s+(type\s)?(?:[^'"`;()]*?\sfrom\s+)?['"]([^'"]+)['"]/gm
  const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g
  return [
    ...[...code.matchAll(fixed)].map(([, type, specifier]) => ({ specifier, isType: type !== undefined })),
    ...[...code.matchAll(dynamic)].map(([, specifier]) => ({ specifier, isType: false })),
  ]
}

/** The name of the package that a specifier leads to: `@dit/tensor/conformance` gives `@dit/tensor`. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** The source file behind a package's `exports` entry, through the condition that stands for sources. */
export function sourceOf({ folder, manifest }: Package, entry: string): string | undefined {
  const target = manifest.exports?.[entry] as Readonly<Record<string, string>> | undefined
  const path = target?.['@dit/source']
  return path === undefined ? undefined : join(folder, path)
}

/** The `.ts` file that a relative specifier means, seen from the file that holds it. */
export function resolveRelative(from: string, specifier: string): string {
  return join(dirname(from), specifier.replace(/\.js$/, '.ts'))
}

export function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
