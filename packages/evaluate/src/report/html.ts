import { escapeXml } from '../plot/escape-xml.js'

/** Markup that is safe to put into a page as it is. Only `html` and `markup` make it, so that no text of a user passes for it. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What a template takes: text and numbers are escaped; null and false are left out. */
export type HtmlValue = Html | string | number | null | false | readonly HtmlValue[]

/** Markup from a template. Whatever is filled in is escaped, unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.map((part, i) => part + (i < values.length ? filledIn(values[i]) : '')).join(''))
}

/** Markup of our own making that no template built, such as SVG. */
export function markup(text: string): Html {
  return new Html(text)
}

function filledIn(value: HtmlValue): string {
  if (value === null || value === false) return ''
  if (value instanceof Html) return value.text
  if (isList(value)) return value.map(filledIn).join('')
  return escapeXml(String(value))
}

function isList(value: HtmlValue): value is readonly HtmlValue[] {
  return Array.isArray(value)
}
