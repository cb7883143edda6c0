/**
 * JSON for a `<script>` element. `<` is written as its code, so that no text ends the element.
 *
 * Two things stay out, because a page would be many times as large: pictures, in whose place stands the id of the `<img>` that has
 * them (`#picture-12`), and the single estimates of bootstrap intervals.
 *
 * @param pictureIds  id of each picture, by its data URL
 */
export function embeddedJson(value: unknown, pictureIds: ReadonlyMap<string, string> = new Map()): string {
  const text = JSON.stringify(value, (key, part: unknown) => {
    if (key === 'estimates') return undefined
    if (key === 'picture' && typeof part === 'string') {
      const id = pictureIds.get(part)
      return id === undefined ? null : `#${id}`
    }
    return ArrayBuffer.isView(part) ? Array.from(part as unknown as ArrayLike<number>) : part
  })
  return text.replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}
