import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transformWithOxc } from 'vite'
import { closure, type Package, publishable, readPackages, repositoryRoot } from '../../tools/release/workspace.js'

const pages = fileURLToPath(new URL('./pages', import.meta.url))

/** Builds `bundled.html` as an application would: Vite with its defaults, and the packages as they are published. */
export async function buildBundledPage(outDir: string): Promise<void> {
  for (const { name, folder } of neededPackages()) {
    if (!existsSync(join(folder, 'dist'))) throw new Error(`${name} is not built: run npm run build first`)
  }
  await build({
    root: pages,
    base: './',
    configFile: false,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, rolldownOptions: { input: join(pages, 'bundled.html') } },
  })
}

/** Writes `plain.html`: no bundler, an import map over the built files, with the repository served at `repositoryUrl`. */
export async function writePlainPage(folder: string, repositoryUrl: string): Promise<void> {
  const imports = Object.fromEntries(moduleFiles().map(([name, path]) => [name, `${repositoryUrl}/${path}`]))
  const source = join(pages, 'ten-steps.ts')
  const { code } = await transformWithOxc(await readFile(source, 'utf8'), source, { lang: 'ts' })
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'ten-steps.js'), code)
  await writeFile(
    join(folder, 'plain.html'),
    `<!doctype html>
<meta charset="utf-8" />
<link rel="icon" href="data:," />
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  import * as functions from './ten-steps.js'
  Object.assign(globalThis, functions)
</script>
`,
  )
}

/** What the pages import, with all that it needs. */
function neededPackages(): Package[] {
  const all = publishable(readPackages())
  const needed = ['@dit/train-ddp', '@dit/backend-cpu'].flatMap((name) => closure(all, name))
  return [...new Map(needed.map((item) => [item.name, item])).values()]
}

/** Names that an import map must know, and the file behind each, from the repository's root. */
function moduleFiles(): [name: string, path: string][] {
  const needed = neededPackages()
  const ours = needed.map(({ name, folder, manifest }): [string, string] => {
    const root = manifest.exports?.['.'] as { readonly default: string }
    return [name, relative(repositoryRoot, join(folder, root.default))]
  })
  const others = needed
    .flatMap(({ manifest }) => Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
    .filter((name) => !name.startsWith('@dit/'))
  return [...ours, ...others.map((name): [string, string] => [name, browserFile(name)])]
}

function browserFile(name: string): string {
  const folder = join('node_modules', name)
  const { module } = JSON.parse(readFileSync(join(repositoryRoot, folder, 'package.json'), 'utf8')) as {
    readonly module?: string
  }
  if (module === undefined) throw new Error(`${name} names no module that a page could load`)
  return join(folder, module)
}
