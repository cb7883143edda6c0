import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Rolldown, transformWithOxc } from 'vite'
import webpack from 'webpack'
import { closure, type Package, publishable, readPackages, repositoryRoot } from '../../tools/release/workspace.js'

const pages = fileURLToPath(new URL('./pages', import.meta.url))

/** A file of JavaScript that a bundler wrote, and the bytes of each module in it before they were minified. */
export interface Chunk {
  readonly file: string
  readonly modules: Readonly<Record<string, number>>
}

/**
 * Builds a page as an application would: Vite with its defaults, and the packages as they are published.
 *
 * @param root folder of the page, within the repository, where the packages resolve
 */
export async function buildBundledPage(outDir: string, page = 'bundled.html', root = pages): Promise<Chunk[]> {
  for (const { name, folder } of neededPackages()) {
    if (!existsSync(join(folder, 'dist'))) throw new Error(`${name} is not built: run npm run build first`)
  }
  const built = await build({
    root,
    base: './',
    configFile: false,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, rolldownOptions: { input: join(root, page) } },
  })
  // Vite gives a list only where several outputs were asked for.
  return (built as Rolldown.RolldownOutput).output.flatMap((item) =>
    item.type === 'chunk'
      ? [
          {
            file: item.fileName,
            modules: Object.fromEntries(Object.entries(item.modules).map(([id, { code }]) => [id, code?.length ?? 0])),
          },
        ]
      : [],
  )
}

/** Builds modules of `pages` as an application would with webpack and its defaults; the first is the page's script. */
export async function buildWebpackPage(outDir: string, modules: readonly string[]): Promise<void> {
  const sources = join(outDir, 'sources')
  await writeModules(sources, modules)
  const compiler = webpack({
    mode: 'production',
    context: repositoryRoot,
    entry: join(sources, `${modules[0]}.js`),
    output: { path: outDir, filename: 'main.js' },
    resolve: { modules: [join(repositoryRoot, 'node_modules')] },
    performance: false,
  })
  await new Promise<void>((resolve, reject) => {
    compiler.run((error, stats) => {
      if (error !== null) reject(new Error('webpack failed', { cause: error }))
      else if (stats === undefined || stats.hasErrors() || stats.hasWarnings()) {
        reject(new Error(stats?.toString({ all: false, errors: true, warnings: true })))
      } else compiler.close(() => resolve())
    })
  })
  await writeFile(
    join(outDir, 'webpack.html'),
    '<!doctype html><meta charset="utf-8" /><link rel="icon" href="data:," /><script src="./main.js"></script>',
  )
}

/**
 * Writes a page without a bundler: modules of `pages` as they are, an import map over the built files, and the repository
 * served at `repositoryUrl`. The page puts what the last module exports on `globalThis`.
 */
export async function writePlainPage(
  folder: string,
  repositoryUrl: string,
  modules: readonly string[] = ['ten-steps'],
): Promise<void> {
  await writeModules(folder, modules)
  await writeFile(
    join(folder, 'plain.html'),
    `${HEAD}${importMap(repositoryUrl)}<script type="module">
  import * as functions from './${modules.at(-1)}.js'
  Object.assign(globalThis, functions)
</script>
`,
  )
}

/** Writes a page of a README twice: for a bundler, as it is, and for none, with an import map as in `writePlainPage`. */
export async function writeExamplePages(folder: string, html: string, repositoryUrl: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'example.html'), HEAD + html)
  await writeFile(join(folder, 'plain.html'), HEAD + importMap(repositoryUrl) + html)
}

const HEAD = '<!doctype html>\n<meta charset="utf-8" />\n<link rel="icon" href="data:," />\n'

function importMap(repositoryUrl: string): string {
  const imports = Object.fromEntries(moduleFiles().map(([name, path]) => [name, `${repositoryUrl}/${path}`]))
  return `<script type="importmap">${JSON.stringify({ imports })}</script>\n`
}

async function writeModules(folder: string, modules: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of modules) {
    const source = join(pages, `${name}.ts`)
    const { code } = await transformWithOxc(await readFile(source, 'utf8'), source, { lang: 'ts' })
    await writeFile(
      join(folder, `${name}.js`),
      code.replace("'./worker.ts'", "'./worker.js'").replace('"./worker.ts"', '"./worker.js"'),
    )
  }
}

/** What the pages import, with all that it needs. */
function neededPackages(): Package[] {
  const all = publishable(readPackages())
  const backends = ['@dit/backend-cpu', '@dit/backend-tfjs', '@dit/backend-webgpu']
  const needed = [...backends, '@dit/train-ddp', '@dit/sampler', '@dit/browser', '@dit/pipeline'].flatMap((name) =>
    closure(all, name),
  )
  return [...new Map(needed.map((item) => [item.name, item])).values()]
}

/** Names that an import map must know, and the file behind each, from the repository's root. */
function moduleFiles(): [name: string, path: string][] {
  const needed = neededPackages()
  const ours = needed.flatMap(({ name, folder, manifest }) =>
    Object.entries(manifest.exports ?? {})
      .filter(([entry]) => !/\/node$|\.json$/.test(entry))
      .map(([entry, target]): [string, string] => [
        name + entry.slice(1),
        relative(repositoryRoot, join(folder, (target as { readonly default: string }).default)),
      ]),
  )
  const others = needed
    .flatMap(({ manifest }) =>
      Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).filter(
        // Of an optional one a page has no use: it is for Node.
        (name) => !(manifest.peerDependenciesMeta?.[name]?.optional === true),
      ),
    )
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
