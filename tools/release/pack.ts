import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { runOrThrow } from './run.js'
import type { Package } from './workspace.js'

/** A packed package: its tarball and the paths inside it. */
export interface Tarball {
  readonly path: string
  readonly files: readonly string[]
}

interface PackReport {
  readonly name: string
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** Packs the packages as `npm publish` would, into `destination`; the result is keyed by package name. */
export async function packAll(
  root: string,
  packages: readonly Package[],
  destination: string,
): Promise<Map<string, Tarball>> {
  mkdirSync(destination, { recursive: true })
  const workspaces = packages.map(({ name }) => `--workspace=${name}`)
  const args = ['pack', '--json', '--pack-destination', destination, ...workspaces]
  const { stdout } = await runOrThrow('npm', args, { cwd: root })
  const reports = readReports(stdout)
  const tarballs = reports.map(
    ({ name, filename, files }) =>
      [name, { path: join(destination, filename), files: files.map(({ path }) => path) }] as const,
  )
  return new Map(tarballs)
}

// npm 10 and 11 print a list; a record keyed by name is what `npm publish --json` prints and what later versions may.
function readReports(json: string): PackReport[] {
  const parsed = JSON.parse(json) as PackReport[] | Record<string, PackReport>
  return Array.isArray(parsed) ? parsed : Object.values(parsed)
}
