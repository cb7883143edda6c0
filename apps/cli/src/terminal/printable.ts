/** Text with control characters, which could steer a terminal, written as `\x1b`; line breaks stay. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    character === '\n' ? character : escaped(character),
  )
}

/** A name, which may hold line breaks as well, on one line. */
export function printableName(name: string): string {
  return printable(name).replaceAll('\n', String.raw`\n`)
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!.toString(16)
  return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`
}
