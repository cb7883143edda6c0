/** Text inside SVG or HTML, in an element or in an attribute. Control characters, which XML cannot hold, are shown as a replacement. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/\p{Cc}/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
