import { type Html, html, type HtmlValue } from './html.js'

/** A part of a page under a heading, by which its region is named; nothing without content. */
export function section(id: string, title: string, content: HtmlValue): Html {
  if (content === null || content === false) return html``
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section>`
}

/** The top of a page: what kind of page it is, whose, and a line on it. Long names, such as paths, are set smaller. */
export function pageHeader(kind: string, name: string, below: HtmlValue): Html {
  return html`<header>
    <p class="kicker">${kind}</p>
    <h1${name.length > LONG ? html` class="long"` : null}>${name}</h1>
    ${below}
  </header>`
}

const LONG = 50
