import { type Html, html, markup } from './html.js'
import { SORT_SCRIPT, SORT_SCRIPT_SHA256 } from './sort-script.js'
import { STYLE } from './style.js'

export interface PageShell {
  readonly title: string
  readonly body: Html
  /** What the page says, for programs: the text of `<script type="application/json" id="data">`. */
  readonly data: string
  /** Seconds after which a browser loads the page again; null for never. */
  readonly refresh?: number | null
}

/**
 * A page in one file. It forbids the browser every request and every script but its own, which sorts tables, so that a page stays
 * harmless whatever names it shows.
 */
export function pageShell({ title, body, data, refresh = null }: PageShell): string {
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${SORT_SCRIPT_SHA256}'; base-uri 'none'; form-action 'none'`
  // Not in the template: whoever formats it must not change a byte of the script, whose digest the policy holds.
  const style = markup(`<style>${STYLE}</style>`)
  const scripts = markup(`<script type="application/json" id="data">${data}</script>\n<script>${SORT_SCRIPT}</script>`)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        ${refresh === null ? null : html`<meta http-equiv="refresh" content="${refresh}" />`}
        <link rel="icon" href="data:," />
        <title>${title}</title>
        ${style}
      </head>
      <body>
        <main>${body}</main>
        ${scripts}
      </body>
    </html> `.text
}
