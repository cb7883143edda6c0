import { readFile, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { printable } from './printable.js'
import { TarShardsError } from './tar-shards-error.js'

/** Bytes of a file of names. */
const MAX_BYTES = 2 ** 26

/**
 * Class names by number from a file: JSON with a list of names, or with an object from numbers to names (`{ "0": "tench" }`); any
 * other file has a name a line.
 *
 * @throws TarShardsError where it is none of these, or a name is missing, empty or given twice
 */
export async function readClassNames(path: string): Promise<string[]> {
  const fail = (problem: string, cause?: unknown) =>
    new TarShardsError(`readClassNames: ${printable(path)} ${problem}`, [], { cause })
  const found = await stat(path).catch(() => null)
  if (found === null) throw fail('does not exist; check the path')
  if (!found.isFile()) throw fail('is no file; give a JSON list of class names, or a file with a name a line')
  if (found.size > MAX_BYTES) throw fail(`has ${found.size} bytes, too many for class names`)
  const text = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
  const names = extname(path).toLowerCase() === '.json' ? namesInJson(text, fail) : namesInLines(text)
  if (names.length === 0) throw fail('holds no class names')
  for (const [label, name] of names.entries()) {
    if (typeof name !== 'string' || name.trim() === '') throw fail(`has no name for class ${label}`)
  }
  const numbers = new Map<string, number>()
  for (const [label, name] of (names as string[]).entries()) {
    const first = numbers.get(name)
    if (first !== undefined) {
      throw fail(`names classes ${first} and ${label} alike, ${printable(name)}; tell them apart`)
    }
    numbers.set(name, label)
  }
  return names as string[]
}

function namesInLines(text: string): unknown[] {
  const lines = text.split('\n').map((line) => line.trim())
  while (lines.at(-1) === '') lines.pop()
  return lines
}

function namesInJson(text: string, fail: (problem: string, cause?: unknown) => TarShardsError): unknown[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw fail('is no JSON', cause)
  }
  if (Array.isArray(value)) return value as unknown[]
  if (typeof value !== 'object' || value === null)
    throw fail('must hold a list of names, or an object from numbers to names')
  const names = new Map(Object.entries(value))
  // In order of numbers, which must be 0 to the last one without a gap.
  const listed = Array.from({ length: names.size }, (_, label) => names.get(String(label)))
  const gap = listed.findIndex((name) => name === undefined)
  if (gap >= 0) throw fail(`has no name for class ${gap}: its keys must be the numbers 0 to ${names.size - 1}`)
  return listed
}
