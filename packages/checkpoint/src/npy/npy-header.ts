import { arrayBytes, type StoredDType, type StoredSpec } from '../dtype.js'
import { bracket, quote } from '../quote.js'
import type { Fail } from './error.js'

/** What an npy file says before its elements. */
export interface NpyHeader extends StoredSpec {
  /** Where the elements begin, counted from the start of the file. */
  readonly byteOffset: number
  readonly byteLength: number
}

const dtypeOfDescr: ReadonlyMap<string, StoredDType> = new Map([
  ['<f8', 'F64'],
  ['<f4', 'F32'],
  ['<f2', 'F16'],
  ['<i8', 'I64'],
  ['<i4', 'I32'],
  ['<i2', 'I16'],
  ['|i1', 'I8'],
  ['<u8', 'U64'],
  ['<u4', 'U32'],
  ['<u2', 'U16'],
  ['|u1', 'U8'],
  ['|b1', 'BOOL'],
])

/** How npy writes each dtype. It has no bfloat16 and no float8. */
export const descrOfDType: ReadonlyMap<StoredDType, string> = new Map(
  [...dtypeOfDescr].map(([descr, dtype]) => [dtype, descr]),
)

/** Bytes that are enough to hold any header that is accepted, of which a file may have fewer. */
export const npyHeadBytes = 2 ** 16

/**
 * Parses the header of an npy file, versions 1.0 and 2.0.
 *
 * @param head the first `npyHeadBytes` bytes of the file, or all of it where it is shorter
 */
export function parseNpyHeader(head: Uint8Array, fail: Fail): NpyHeader {
  if (head.length < 10 || String.fromCharCode(...head.subarray(0, 6)) !== '\x93NUMPY') {
    throw fail('must begin with the npy magic')
  }
  const [major, minor] = head.subarray(6, 8)
  if ((major !== 1 && major !== 2) || minor !== 0) throw fail(`version must be 1.0 or 2.0 (${major}.${minor})`)
  const textOffset = major === 1 ? 10 : 12
  if (head.length < textOffset) throw fail('is cut short within its header')
  const view = new DataView(head.buffer, head.byteOffset, head.length)
  const byteOffset = textOffset + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (byteOffset > npyHeadBytes) throw fail(`header must end within ${npyHeadBytes} bytes (${byteOffset})`)
  if (byteOffset > head.length) throw fail('is cut short within its header')

  const { descr, isFortranOrder, shape } = parseDict(latin1(head.subarray(textOffset, byteOffset)), fail)
  const dtype = dtypeOfDescr.get(descr)
  if (!dtype) throw fail(`descr must be one of ${[...dtypeOfDescr.keys()].join(', ')} (${quote(descr)})`)
  if (isFortranOrder) throw fail('elements must be in C order (fortran_order is True)')
  const byteLength = arrayBytes({ dtype, shape })
  if (byteLength === undefined) throw fail(`shape ${bracket(shape)} must stay below 2^53 bytes`)
  return { dtype, shape, byteOffset, byteLength }
}

/** The header's Python literal: three known keys, a string, a boolean and a tuple of integers, and nothing else. */
function parseDict(text: string, fail: Fail): { descr: string; isFortranOrder: boolean; shape: number[] } {
  let at = 0
  let descr: string | undefined
  let isFortranOrder: boolean | undefined
  let shape: number[] | undefined

  need(/\{/y, '"{"')
  while (!take(/\}/y)) {
    const key = need(/'(\w*)'|"(\w*)"/y, 'a key').slice(1, -1)
    need(/:/y, '":"')
    if (key === 'descr' && descr === undefined) {
      descr = need(/'[^'\\]*'|"[^"\\]*"/y, 'a plain dtype as descr (records are not supported)').slice(1, -1)
    } else if (key === 'fortran_order' && isFortranOrder === undefined) {
      isFortranOrder = need(/True|False/y, 'True or False') === 'True'
    } else if (key === 'shape' && shape === undefined) {
      shape = parseShape()
    } else {
      throw fail(`header must have descr, fortran_order and shape, each once (${quote(key)})`)
    }
    if (!take(/,/y)) {
      need(/\}/y, '"," or "}"')
      break
    }
  }
  need(/$/y, 'the end')
  if (descr === undefined || isFortranOrder === undefined || shape === undefined) {
    throw fail('header must have descr, fortran_order and shape')
  }
  return { descr, isFortranOrder, shape }

  function parseShape(): number[] {
    const sizes: number[] = []
    need(/\(/y, 'a tuple')
    while (!take(/\)/y)) {
      const size = Number(need(/(0|[1-9][0-9]*)(?![0-9.eEjL_])/y, 'a non-negative integer'))
      if (size > Number.MAX_SAFE_INTEGER) throw fail(`shape must hold integers below 2^53 (${size})`)
      sizes.push(size)
      if (take(/,/y)) continue
      if (sizes.length === 1) throw fail('header is malformed: "(n)" is not a tuple, "(n,)" is')
      need(/\)/y, '"," or ")"')
      break
    }
    return sizes
  }

  /** Passes white space, then the pattern if it stands here. */
  function take(pattern: RegExp): string | undefined {
    while (at < text.length && ' \t\n\r'.includes(text[at])) at++
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }

  function need(pattern: RegExp, wanted: string): string {
    const found = take(pattern)
    if (found !== undefined) return found
    throw fail(`header is malformed: expected ${wanted} at character ${at}, found ${quote(text.slice(at, at + 20))}`)
  }
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096))
  return text
}
