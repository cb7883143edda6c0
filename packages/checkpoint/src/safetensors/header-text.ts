import { quote } from '../quote.js'
import type { Fail } from './error.js'

/** What the header says about one tensor, of the right kinds but otherwise unchecked. */
export interface HeaderEntry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly start: number
  readonly end: number
}

/** The header's parts in the order in which they stand there. */
export interface HeaderText {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, HeaderEntry>
}

/**
 * Parses the JSON text of a safetensors header, and nothing but such a header.
 *
 * JSON.parse is not enough: it drops all but the last of duplicate names, moves names that look like integers to the front,
 * and rounds large numbers. This parser recurses nowhere, so nesting cannot exhaust the stack.
 */
export function parseHeaderText(text: string, fail: Fail): HeaderText {
  let at = 0
  const tensors = new Map<string, HeaderEntry>()
  let metadata: Record<string, string> | undefined

  object('header', (name) => {
    if (name === '__metadata__') {
      if (metadata) throw fail('"__metadata__" stands in the header twice')
      // Some programs write null where there is none.
      metadata = takes('null') ? Object.create(null) : parseMetadata()
    } else {
      if (tensors.has(name)) throw fail(`tensor ${quote(name)}: stands in the header twice`)
      tensors.set(name, parseEntry(name))
    }
  })
  if (peek() !== undefined) throw unexpected('the end of the header')
  return { metadata: Object.freeze(metadata ?? Object.create(null)), tensors }

  function parseMetadata(): Record<string, string> {
    // Without a prototype a key such as "__proto__" is a key like any other.
    const values: Record<string, string> = Object.create(null)
    object('"__metadata__"', (key) => {
      if (key in values) throw fail(`metadata key ${quote(key)} stands there twice`)
      if (peek() !== '"') throw fail(`metadata ${quote(key)}: must be a string`)
      values[key] = string()
    })
    return values
  }

  function parseEntry(name: string): HeaderEntry {
    const who = `tensor ${quote(name)}`
    let dtype: string | undefined
    let shape: number[] | undefined
    let offsets: number[] | undefined
    object(who, (field) => {
      if (field === 'dtype' && dtype === undefined) {
        if (peek() !== '"') throw fail(`${who}: dtype must be a string`)
        dtype = string()
      } else if (field === 'shape' && shape === undefined) {
        shape = integers(`${who}: shape`)
      } else if (field === 'data_offsets' && offsets === undefined) {
        offsets = integers(`${who}: data_offsets`)
      } else {
        const isKnown = field === 'dtype' || field === 'shape' || field === 'data_offsets'
        throw fail(`${who}: ${isKnown ? `${field} stands there twice` : `unknown field ${quote(field)}`}`)
      }
    })
    if (dtype === undefined) throw fail(`${who}: dtype is missing`)
    if (shape === undefined) throw fail(`${who}: shape is missing`)
    if (offsets === undefined) throw fail(`${who}: data_offsets is missing`)
    if (offsets.length !== 2) throw fail(`${who}: data_offsets must hold two integers (${offsets.length})`)
    return { dtype, shape, start: offsets[0], end: offsets[1] }
  }

  /** Calls `onKey` with the parser standing before each key's value. */
  function object(who: string, onKey: (key: string) => void): void {
    if (peek() !== '{') throw fail(`${who}: must be a JSON object`)
    at++
    if (peek() === '}') return void at++
    for (;;) {
      if (peek() !== '"') throw unexpected('a name in quotes')
      const key = string()
      if (peek() !== ':') throw unexpected('":"')
      at++
      onKey(key)
      const next = peek()
      if (next !== ',' && next !== '}') throw unexpected('"," or "}"')
      at++
      if (next === '}') return
    }
  }

  function integers(who: string): number[] {
    const values: number[] = []
    if (peek() !== '[') throw fail(`${who} must be a list of integers`)
    at++
    if (peek() === ']') return (at++, values)
    for (;;) {
      values.push(integer(who))
      const next = peek()
      if (next !== ',' && next !== ']') throw unexpected('"," or "]"')
      at++
      if (next === ']') return values
    }
  }

  function integer(who: string): number {
    peek()
    const start = at
    let value = 0
    for (; isDigit(text.charCodeAt(at)); at++) value = value * 10 + text.charCodeAt(at) - zero
    const isPlain = at > start && (text[start] !== '0' || at === start + 1)
    if (!isPlain || '.eE+-'.includes(text[at] ?? ' ')) {
      const token = text.slice(start, start + 40).split(/[\],}\s]/, 1)[0]
      throw fail(`${who} must hold non-negative integers (${quote(token)})`)
    }
    if (value > Number.MAX_SAFE_INTEGER) {
      throw fail(`${who} must hold integers below 2^53 (${text.slice(start, Math.min(at, start + 40))})`)
    }
    return value
  }

  function string(): string {
    const start = at++
    for (let code = text.charCodeAt(at); at < text.length && code !== quoteMark; code = text.charCodeAt(at)) {
      at += code === backslash ? 2 : 1
    }
    at++
    let value: string
    try {
      value = JSON.parse(text.slice(start, at)) as string
    } catch {
      throw fail(`header is not valid JSON: bad string at character ${start}`)
    }
    if (/\p{Surrogate}/u.test(value)) throw fail(`header holds half a surrogate pair at character ${start}`)
    return value
  }

  /** Passes a word that stands here. */
  function takes(word: string): boolean {
    peek()
    if (!text.startsWith(word, at)) return false
    at += word.length
    return true
  }

  /** The next character that is not white space, without passing it. */
  function peek(): string | undefined {
    while (isSpace(text.charCodeAt(at))) at++
    return text[at]
  }

  function unexpected(wanted: string): Error {
    const came = at < text.length ? quote(text[at]) : 'the end'
    return fail(`header is not valid JSON: expected ${wanted} at character ${at}, found ${came}`)
  }
}

const zero = 0x30
const quoteMark = 0x22
const backslash = 0x5c

function isDigit(code: number): boolean {
  return code >= zero && code <= 0x39
}

/** The four characters that JSON allows between tokens. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
