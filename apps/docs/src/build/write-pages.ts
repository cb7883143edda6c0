import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GUIDES } from '../site/guides.js'
import { allPages, ownPages, repository } from './paths.js'
import { type Entry, publicEntries } from './public-entries.js'
import { rewriteLinks, type Target } from './rewrite-links.js'

/** Copies the pages that are written by hand, and makes those that are texts of the repository: guides and READMEs. */
export function writePages(): void {
  cpSync(ownPages, allPages, { recursive: true })
  for (const { source, page } of GUIDES) writePage(`guides/${page}.md`, source)
  for (const [name, entries] of entriesByPackage()) {
    const links = entries.map(({ page, specifier }) => `[\`${specifier}\`](/reference/${page})`).join(', ')
    writePage(`reference/${name}/index.md`, `packages/${name}/README.md`, `**Reference:** ${links}`)
  }
  writePage('reference/cli/index.md', 'apps/cli/README.md')
  writeFile('reference/index.md', referenceIndex())
}

/** The entries of each package. */
function entriesByPackage(): Map<string, Entry[]> {
  const packages = new Map<string, Entry[]>()
  for (const entry of publicEntries()) {
    const name = entry.page.split('/')[0]
    packages.set(name, [...(packages.get(name) ?? []), entry])
  }
  return packages
}

/** A text of the repository as a page, with a line after its heading. */
function writePage(page: string, source: string, line = ''): void {
  const text = rewriteLinks(readFileSync(join(repository, source), 'utf8'), source, targetOf)
  const [heading, ...rest] = text.split('\n')
  writeFile(page, [heading, '', line, ...rest].join('\n'))
}

/** What the site has of a place in the repository. Files that are no pages are copied to it. */
export function targetOf(path: string): Target | null {
  const guide = GUIDES.find(({ source }) => source === path)
  if (guide !== undefined) return { address: `/guides/${guide.page}` }
  if (path === 'README.md' || path === '.') return { address: '/' }
  const name = /^(?:packages|apps)\/([\w-]+)(?:\/README\.md)?$/.exec(path)?.[1]
  if (name !== undefined) return { address: `/reference/${name}/` }
  const from = join(repository, path)
  if (!existsSync(from) || !statSync(from).isFile()) return null
  const to = join(allPages, 'public/files', path)
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to)
  return { address: `/files/${path}` }
}

function referenceIndex(): string {
  const rows = [...entriesByPackage()].map(([name, entries]) => {
    const manifest = JSON.parse(readFileSync(join(repository, 'packages', name, 'package.json'), 'utf8')) as {
      readonly description: string
    }
    const links = entries.map(({ page, specifier }) => `[\`${specifier}\`](/reference/${page})`).join('<br>')
    return `| [${name}](/reference/${name}/) | ${links} | ${manifest.description} |`
  })
  return [
    '# Reference',
    '',
    'What every package exports, from its types and doc comments. Each package also has a page with an example that runs.',
    'The command line has [a page of its own](/reference/cli/).',
    '',
    '| package | entries | what it is |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function writeFile(page: string, text: string): void {
  const path = join(allPages, page)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
