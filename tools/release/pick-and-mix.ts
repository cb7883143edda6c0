import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installed } from './installed.js'
import type { Tarball } from './pack.js'
import { type Example, extractExample, installedPackages, trimOutput, withoutTypes } from './readme.js'
import { run } from './run.js'
import type { Package } from './workspace.js'

/**
 * Installs one package into an empty project, as a user would, and runs its README's example and its commands there.
 *
 * The project gets the tarballs of the package, of others of ours that the README's install line names (such as an engine), and of all
 * that these depend on, its peers (an optional peer only if that line names it), and what npm adds to these. Nothing else of ours may be
 * there.
 *
 * @returns what is wrong, one entry each
 */
export async function pickAndMixProblems(
  item: Package,
  packages: readonly Package[],
  tarballs: ReadonlyMap<string, Tarball>,
  project: string,
): Promise<string[]> {
  const readme = readReadme(item)
  if (typeof readme === 'string') return [readme]

  const ours = installed(packages, item)
  mkdirSync(project, { recursive: true })
  const dependencies = {
    ...Object.fromEntries(ours.map(({ name }) => [name, `file:${tarballs.get(name)!.path}`])),
    ...peers(item, readme.named),
  }
  const manifest = { name: 'pick-and-mix', private: true, type: 'module', dependencies }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest, null, 2))

  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=1', '--loglevel=error']
  const install = await run('npm', ['install', ...flags], { cwd: project })
  if (install.code !== 0) {
    const hint = /E(NOTFOUND|AI_AGAIN|CONNREFUSED|TIMEDOUT|CONNRESET)/.test(install.stderr)
      ? 'the registry did not answer, and this check needs it'
      : 'npm could not install it'
    return [`${hint}\n${install.stdout}${install.stderr}`.trimEnd()]
  }
  return [
    ...foreignPackages(project, ours),
    ...(readme.example === undefined ? [] : await exampleProblems(project, readme.example)),
    ...(await commandProblems(project, item)),
  ]
}

interface Readme {
  readonly example: Example | undefined
  /** What its install line names. */
  readonly named: readonly string[]
}

// Either the README's example or what is wrong with the README. A package of commands needs no example in TypeScript.
function readReadme({ folder, manifest }: Package): Readme | string {
  let text: string
  try {
    text = readFileSync(join(folder, 'README.md'), 'utf8')
  } catch {
    return 'it has no README.md, and so no example to run'
  }
  const named = installedPackages(text)
  if (manifest.exports?.['.'] === undefined && !text.includes('```ts')) return { example: undefined, named }
  try {
    return { example: extractExample(text), named }
  } catch (error) {
    return `README.md: ${(error as Error).message}`
  }
}

function peers({ manifest }: Package, named: readonly string[]): Record<string, string> {
  const all = Object.entries(manifest.peerDependencies ?? {}).filter(([name]) => !name.startsWith('@dit/'))
  return Object.fromEntries(
    all.filter(([name]) => manifest.peerDependenciesMeta?.[name]?.optional !== true || named.includes(name)),
  )
}

// npm's own account of what it put into node_modules, nested copies included.
function foreignPackages(project: string, ours: readonly Package[]): string[] {
  const path = join(project, 'node_modules', '.package-lock.json')
  const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, { link?: boolean }> }
  const expected = new Set(ours.map(({ name }) => `node_modules/${name}`))
  const installed = Object.entries(lock.packages).filter(([place]) =>
    /(^|\/)node_modules\/(@dit\/[^/]+|create-dit)$/.test(place),
  )
  const places = installed.map(([place]) => place)
  return [
    ...places.filter((place) => !expected.has(place)).map((place) => `${place} was installed and is not a dependency`),
    ...[...expected].filter((place) => !places.includes(place)).map((place) => `${place} was not installed`),
    ...installed.filter(([, { link }]) => link === true).map(([place]) => `${place} is a link, not an installation`),
  ]
}

async function exampleProblems(project: string, { before, code, output }: Example): Promise<string[]> {
  let printed = ''
  for (const block of [...before, code]) {
    writeFileSync(join(project, 'example.mjs'), await withoutTypes(block))
    const finished = await run(process.execPath, ['example.mjs'], { cwd: project, seconds: 120 })
    if (finished.code !== 0) return [`README.md: the example failed\n${finished.stdout}${finished.stderr}`.trimEnd()]
    printed = finished.stdout
  }
  const [wanted, got] = [trimOutput(output), trimOutput(printed)]
  return wanted === got ? [] : [`README.md: the example should print\n${wanted}\n  but printed\n${got}`]
}

async function commandProblems(project: string, { manifest }: Package): Promise<string[]> {
  const problems: string[] = []
  for (const name of Object.keys(manifest.bin ?? {})) {
    const { code, stdout, stderr } = await run('npm', ['exec', '--offline', '--', name, '--help'], { cwd: project })
    if (code !== 0) problems.push(`${name} --help ended with exit code ${code}\n${stdout}${stderr}`.trimEnd())
    else if (stdout.trim() === '') problems.push(`${name} --help printed nothing`)
  }
  return problems
}
