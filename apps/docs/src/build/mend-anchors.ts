/**
 * Links to headings of reference pages, as VitePress names headings: with hyphens for underscores, and counted only where
 * the same heading stands twice. TypeDoc also counts what has no heading.
 */
export function mendAnchors(markdown: string): string {
  const headings = new Map<string, number>()
  for (const [, title] of markdown.matchAll(/^#+ ([\w$]+)(?:\(\)|\\?<.*)?$/gm)) {
    const slug = title.toLowerCase()
    headings.set(slug, (headings.get(slug) ?? 0) + 1)
  }
  return markdown.replace(/(\]\([^)#\s]*#)([\w$-]+)\)/g, (_, before: string, anchor: string) => {
    const [, name, count] = /^(.*?)(?:-(\d+))?$/.exec(anchor)!
    const isHere = before === '](#'
    const isCounted = count !== undefined && isHere && (headings.get(name) ?? 0) === 1
    return `${before}${(isCounted ? name : anchor).replaceAll('_', '-')})`
  })
}
