// Control characters, line and paragraph separators, and marks that turn the direction of writing.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/**
 * A name as it can be shown in a terminal or a log: as it is where every character prints, otherwise in double quotes
 * with escapes, as in JSON. Names of files may hold line ends and terminal commands.
 */
export function printable(name: string): string {
  if (name.search(UNPRINTABLE) < 0) return name
  return JSON.stringify(name).replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A text of somebody else on one line, without what does not print. */
export function onOneLine(text: string): string {
  return text.replace(UNPRINTABLE, ' ').replace(/ {2,}/g, ' ').trim()
}
