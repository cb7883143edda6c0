import { onOneLine } from './printable.js'

/**
 * Why the decoder did not read a picture, in the same words for a file and for bytes in memory, on one line. What is no error of the decoder
 * keeps its own.
 *
 * @param error what `sharp` threw
 */
export function decoderReason(error: unknown): string {
  const message = onOneLine(error instanceof Error ? error.message : String(error))
  const found = FORMS.map((form) => form.exec(message)).find((match) => match !== null)
  if (found === undefined) return message
  const detail = found.groups?.['detail'] ?? ''
  return detail === '' ? 'it is damaged or cut short' : `it is damaged or cut short (${detail})`
}

/** How sharp reports a broken header, and libvips what a loader of it met, such as `vipspng: libpng read error`. */
const FORMS: readonly RegExp[] = [
  /^Input (?:file|buffer) has corrupt header:? *(?<detail>.*)$/s,
  /^Input (?:file|buffer) contains unsupported image format$/,
  /^(?:[Vv]ips\w+|\w+load(?:_buffer|_source)?): (?<detail>.*)$/s,
]
