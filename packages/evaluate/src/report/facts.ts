import type { SetDescription } from '../evaluation.js'
import { formatCount } from './format-number.js'
import { type Html, html, type HtmlValue } from './html.js'

/** Names and what they are, as a grid of small cards. */
export function facts(rows: readonly (readonly [name: string, value: HtmlValue])[]): Html {
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}

const KINDS: Readonly<Record<SetDescription['kind'], string>> = {
  model: 'model',
  folder: 'folder',
  npz: 'npz file',
  statistics: 'statistics',
  dataset: 'data set',
}

/** A set in a few words: name, then kind, count, size and classes. */
export function setInWords({ name, kind, count, size, classNames }: SetDescription): Html {
  const words = [
    KINDS[kind],
    `${formatCount(count)} ${count === 1 ? 'picture' : 'pictures'}`,
    ...(size === null ? [] : [`${size[0]} × ${size[1]} pixels`]),
    ...(classNames.length === 0
      ? []
      : [`${formatCount(classNames.length)} ${classNames.length === 1 ? 'class' : 'classes'}`]),
  ]
  return html`<span class="path">${name}</span><span class="quiet">${words.join(', ')}</span>`
}

/** Plain data under a heading, nested names joined by dots; lists of numbers and texts stay on one line. */
export function settingsList(title: string, settings: Readonly<Record<string, unknown>>): Html {
  const rows = flatten('', settings)
  return html`<h3>${title}</h3>
    <dl class="settings">
      ${rows.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>`
}

/** Longer lists, such as names of 1,000 classes, are cut: the page's JSON has them. */
const MAX_TEXT = 300

function flatten(prefix: string, value: unknown): (readonly [string, string])[] {
  if (value !== null && typeof value === 'object' && !Array.isArray(value) && !ArrayBuffer.isView(value))
    return Object.entries(value).flatMap(([name, part]) => flatten(prefix === '' ? name : `${prefix}.${name}`, part))
  if (value === undefined) return []
  const text = typeof value === 'string' ? value : Array.isArray(value) ? value.map(inline).join(', ') : inline(value)
  return [
    [prefix, text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)} … (${formatCount(text.length)} characters)` : text],
  ]
}

function inline(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}
