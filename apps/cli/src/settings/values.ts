import { InvalidArgumentError } from 'commander'

/** Parsers of option values: they throw commander's error, which names the option and the value. */

/** A whole number from `min` to `max`. */
export function integer(min = 0, max = Infinity): (text: string) => number {
  return (text) => {
    const value = number()(text)
    if (value > Number.MAX_SAFE_INTEGER && Number.isInteger(value) && max === Infinity) {
      throw new InvalidArgumentError(`It must be at most ${Number.MAX_SAFE_INTEGER}.`)
    }
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      const range = max === Infinity ? `${min} or more` : `${min} to ${max}`
      throw new InvalidArgumentError(`It must be a whole number, ${range}.`)
    }
    return value
  }
}

/** A number from `min` to `max`. */
export function number(min = -Infinity, max = Infinity): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text)
    if (/\d/.test(text) && Math.abs(value) === Infinity) {
      throw new InvalidArgumentError(`It must be a number of at most ${Number.MAX_VALUE}.`)
    }
    if (!Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.')
    if (value < min || value > max) {
      const range = max === Infinity ? `${min} or more` : `from ${min} to ${max}`
      throw new InvalidArgumentError(`It must be ${range}.`)
    }
    return value
  }
}

/** A number above 0. */
export function positive(text: string): number {
  const value = number()(text)
  if (!(value > 0)) throw new InvalidArgumentError('It must be above 0.')
  return value
}

/** A share, above 0 and below 1. */
export function share(text: string): number {
  const value = number()(text)
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('It must be above 0 and below 1, such as 0.1.')
  return value
}

/** Two numbers from 0 on with a comma between, the smaller first. */
export function range(text: string): readonly [number, number] {
  const parts = text.split(',')
  const values = parts.map((part) => (part.trim() === '' ? NaN : Number(part)))
  const [low, high] = values
  if (parts.length !== 2 || !(low >= 0 && low <= high)) {
    throw new InvalidArgumentError('It must be two numbers, 0 or more, the smaller first, such as 0.3,5.')
  }
  return [low, high]
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
}

/** A number of bytes, such as `2GB` (2,000,000,000) or `1.5 GiB`. */
export function byteCount(text: string): number {
  const [, digits = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text) ?? []
  const bytes = Math.floor(Number(digits) * (BYTE_UNITS[unit.toUpperCase()] ?? NaN))
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new InvalidArgumentError('It must be a number of bytes with its unit, such as 2GB or 500MiB.')
  }
  return bytes
}

const COLOURS: Readonly<Record<string, string>> = {
  white: '#ffffff',
  black: '#000000',
  grey: '#808080',
  gray: '#808080',
  red: '#ff0000',
  green: '#008000',
  blue: '#0000ff',
}

/** A colour by its name or its hexadecimal digits, as `#rrggbb`. The `#` may be left out, which begins a comment in shells. */
export function colour(text: string): string {
  const name = text.trim().toLowerCase()
  const [, short, long] = /^#?(?:([0-9a-f]{3})|([0-9a-f]{6}))$/.exec(name) ?? []
  if (Object.hasOwn(COLOURS, name)) return COLOURS[name]
  if (long !== undefined) return `#${long}`
  if (short !== undefined) return `#${short.replaceAll(/./g, '$&$&')}`
  throw new InvalidArgumentError(`It must be ${Object.keys(COLOURS).join(', ')}, or digits such as ff8000.`)
}

/** The path of a file or folder. An empty one would be the working folder, which nobody means by it. */
export function path(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must be a path; it is empty.')
  return text
}

/** A JSON object, as the text that JSON has for it. */
export function jsonObject(text: string): string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new InvalidArgumentError(`It must be a JSON object: ${(cause as Error).message}.`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return JSON.stringify(value)
  throw new InvalidArgumentError('It must be a JSON object, such as {"channels": 32}.')
}

/** Names with commas between, without the spaces around them. */
export function nameList(text: string): string {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) throw new InvalidArgumentError('It must be names with commas between, such as final,labels.')
  return names.join(',')
}

/** A number, or numbers by name, as `caption=2,style=1.5`: the latter as text without spaces, for `byName`. */
export function numbersByName(min = -Infinity, max = Infinity): (text: string) => number | string {
  const value = number(min, max)
  return (text) => {
    if (!text.includes('=')) return value(text)
    const pairs = text.split(',').map((part) => part.split('=').map((side) => side.trim()))
    const names = pairs.map(([name]) => name)
    if (pairs.some(({ length }) => length !== 2) || names.includes('') || new Set(names).size < names.length) {
      throw new InvalidArgumentError('It must be a number, or numbers by name, such as caption=2,style=1.5.')
    }
    return pairs.map(([name, side]) => `${name}=${value(side)}`).join(',')
  }
}

/** What `numbersByName` has read, by name; null for one number. */
export function byName(value: number | string): ReadonlyMap<string, number> | null {
  if (typeof value === 'number') return null
  return new Map(
    value.split(',').map((pair): [string, number] => {
      const [name, side] = pair.split('=')
      return [name, Number(side)]
    }),
  )
}

/** A number of threads, or `auto`. */
export function threadCount(text: string): number | 'auto' {
  return text === 'auto' ? text : integer(1)(text)
}

/** A number of files, or `all`. */
export function fileCount(text: string): number | 'all' {
  return text === 'all' ? text : integer(1)(text)
}

/** What a parser gives for null: commander takes null for a missing argument. */
export const NULL: unique symbol = Symbol('null')

/** What `parse` takes, or the word `word`, which stands for null. */
export function orWord<T>(word: string, parse: (text: string) => T): (text: string) => T | typeof NULL {
  return (text) => (text === word || text === 'null' ? NULL : parse(text))
}

/** A number of workers, or one for each processor. */
export type Workers = number | 'auto'

export const workerCount: (text: string) => Workers = threadCount

/** What `--recompute` takes: a word, or a number of blocks. */
export function recomputedBlocks(text: string): 'none' | 'block' | number {
  if (text === 'none' || text === 'block') return text
  if (/^\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be none, block or a number of blocks.')
}
