/** The JSON that a page holds. */
export function dataOf(page: string): unknown {
  const [, text] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page) ?? []
  return JSON.parse(text)
}

/** What a reader of a page sees, without scripts, styles and elements. */
export function textOf(page: string): string {
  return page
    .replaceAll(/<(script|style)\b.*?<\/\1>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
}

/** Texts that a page holds where a value was forgotten. */
export const FORGOTTEN = /NaN|Infinity|undefined|\[object/
