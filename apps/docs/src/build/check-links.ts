import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

/**
 * The links of a finished site that lead nowhere: to a page, file or heading that is not there, or to another origin by `src`.
 *
 * @param folder the site
 * @param base   the path that it is served under, such as `/` or `/dit/`
 * @returns one line for each, with the page that has it
 */
export function brokenLinks(folder: string, base: string): string[] {
  const pages = listPages(folder)
  const ids = new Map(pages.map((page) => [page, idsOf(readFileSync(page, 'utf8'))]))
  return pages.flatMap((page) => {
    const html = readFileSync(page, 'utf8')
    const place = relative(folder, page)
    const links = [...html.matchAll(/\s(href|src)="([^"]*)"/g)]
    return [...new Set(links.map(([, kind, link]) => `${kind} ${link}`))].flatMap((found) => {
      const [kind, ...rest] = found.split(' ')
      const link = rest.join(' ').replaceAll('&amp;', '&')
      if (/^(?:data|mailto|blob):/.test(link)) return []
      if (/^(?:https?:)?\/\//.test(link)) return kind === 'src' ? [`${place}: loads ${link}`] : []
      const [path, hash = ''] = link.split('#')
      const target = path === '' ? page : fileOf(folder, base, place, path.split('?')[0])
      if (target === null) return [`${place}: ${link} is not there`]
      const isMissing = hash !== '' && ids.has(target) && !ids.get(target)!.has(decodeURIComponent(hash))
      return isMissing ? [`${place}: ${link} has no such heading`] : []
    })
  })
}

function fileOf(folder: string, base: string, page: string, path: string): string | null {
  const { pathname } = new URL(path, `http://site${base}${page}`)
  if (!pathname.startsWith(base)) return null
  const file = join(folder, decodeURIComponent(pathname.slice(base.length)))
  const tried = [file, `${file}.html`, join(file, 'index.html')]
  return tried.find((candidate) => existsSync(candidate) && statSync(candidate).isFile()) ?? null
}

function idsOf(html: string): Set<string> {
  return new Set([...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id))
}

function listPages(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.html'))
    .map((entry) => join(entry.parentPath, entry.name))
}
