import { posix } from 'node:path'

/** Where a link of a text leads on the site. */
export interface Target {
  readonly address: string
}

/**
 * A text of the repository with its relative links changed to those of the site.
 *
 * A link without a target becomes its text: the repository has no public address yet. Blocks of code stay as they are.
 *
 * @param markdown the text
 * @param source   its place below the repository's root, such as `docs/scaling.md`
 * @param find     what stands at a place below the repository's root; null where the site has nothing of it
 */
export function rewriteLinks(markdown: string, source: string, find: (path: string) => Target | null): string {
  const change = (whole: string, bang: string, text: string, href: string) => {
    if (/^(?:[a-z]+:|#|\/)/.test(href)) return whole
    const [path, hash = ''] = href.split('#')
    const target = find(posix.normalize(posix.join(posix.dirname(source), path)).replace(/\/$/, ''))
    if (target === null) return text
    const to = `${target.address}${hash === '' ? '' : `#${hash}`}`
    if (bang !== '') return `![${text}](${to})`
    return `[${text}](${to})`
  }
  return markdown
    .split(/^(```[\s\S]*?^```.*$)/m)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)/g, change)))
    .join('')
}
