import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tarball } from './pack.js'
import { extractExample, trimOutput, withoutTypes } from './readme.js'
import { run } from './run.js'
import { closure, type Package } from './workspace.js'

/**
 * Installs one package into an empty project, as a user would, and runs its README's example and its commands there.
 *
 * The project gets the tarballs of the package and of the packages of ours that it depends on, its peers (an optional
 * peer only if the README's install line names it), and what npm adds to these. Nothing else of ours may be there.
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

  const ours = closure(packages, item.name)
  mkdirSync(project, { recursive: true })
  const dependencies = {
    ...Object.fromEntries(ours.map(({ name }) => [name, `file:${tarballs.get(name)!.path}`])),
    ...peers(item, readme.installLine),
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
  readonly example: ReturnType<typeof extractExample> | undefined
  readonly installLine: string
}

// Either the README's example or what is wrong with the README. A package of commands needs no example in TypeScript.
function readReadme({ folder, manifest }: Package): Readme | string {
  let text: string
  try {
    text = readFileSync(join(folder, 'README.md'), 'utf8')
  } catch {
    return 'it has no README.md, and so no example to run'
  }
  const installLine = /^npm install .*$/m.exec(text)?.[0] ?? ''
  if (manifest.exports?.['.'] === undefined && !text.includes('```ts')) return { example: undefined, installLine }
  try {
    return { example: extractExample(text), installLine }
  } catch (error) {
    return `README.md: ${(error as Error).message}`
  }
}

function peers({ manifest }: Package, installLine: string): Record<string, string> {
  const named = installLine.split(/\s+/)
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
  const installed = Object.entries(lock.packages).filter(([place]) => /(^|\/)node_modules\/@dit\/[^/]+$/.test(place))
  const places = installed.map(([place]) => place)
  return [
    ...places.filter((place) => !expected.has(place)).map((place) => `${place} was installed and is not a dependency`),
    ...[...expected].filter((place) => !places.includes(place)).map((place) => `${place} was not installed`),
    ...installed.filter(([, { link }]) => link === true).map(([place]) => `${place} is a link, not an installation`),
  ]
}

async function exampleProblems(
  project: string,
  { code, output }: { readonly code: string; readonly output: string },
): Promise<string[]> {
  writeFileSync(join(project, 'example.mjs'), await withoutTypes(code))
  const finished = await run(process.execPath, ['example.mjs'], { cwd: project, seconds: 120 })
  if (finished.code !== 0) return [`README.md: the example failed\n${finished.stdout}${finished.stderr}`.trimEnd()]
  const [wanted, got] = [trimOutput(output), trimOutput(finished.stdout)]
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
