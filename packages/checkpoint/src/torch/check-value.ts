import { arrayBytes } from '../dtype.js'
import type { Fail } from './error.js'
import { TorchPlaceholder } from './placeholder.js'
import { TorchTensor, type TorchValue } from './value.js'

/** Deepest nesting of containers. A training state has about five levels. */
const MAX_DEPTH = 64

/** How often the tensors of a file may show its bytes, and what they may show at least: views can repeat elements without end. */
const MAX_SHOWN = 16
const MIN_SHOWN_BYTES = 2 ** 24

/**
 * Checks what a pickle has built: values only, no container within itself, not too deep, and tensors that in all are not many
 * times larger than the file. Every object is visited once, however often it is referred to.
 */
export function checkValue(root: unknown, fileBytes: number, fail: Fail): TorchValue {
  /** Depth of what is below a container; 0 while it is being looked at. */
  const depths = new Map<object, number>()
  const seen = new Set<TorchTensor>()
  let shown = 0
  const path: { container: object; items: Iterator<unknown>; depth: number }[] = []

  visit(root)
  for (let place = path.at(-1); place !== undefined; place = path.at(-1)) {
    const next = place.items.next()
    if (next.done !== true) {
      place.depth = Math.max(place.depth, visit(next.value))
      continue
    }
    path.pop()
    depths.set(place.container, place.depth + 1)
    const above = path.at(-1)
    if (above !== undefined) above.depth = Math.max(above.depth, place.depth + 1)
    if (path.length + place.depth + 1 > MAX_DEPTH) throw fail(`containers must nest at most ${MAX_DEPTH} deep`)
  }
  return root as TorchValue

  /** Depth of a value, as far as it is known. */
  function visit(value: unknown): number {
    if (value === null || typeof value !== 'object') return requirePlain(value)
    if (value instanceof Uint8Array || value instanceof TorchPlaceholder) return 0
    if (value instanceof TorchTensor) return (count(value), 0)
    const items = itemsOf(value)
    if (items === undefined) return requirePlain(value)
    const depth = depths.get(value)
    if (depth === 0) throw fail('a container must not hold itself')
    if (depth !== undefined) {
      if (path.length + depth > MAX_DEPTH) throw fail(`containers must nest at most ${MAX_DEPTH} deep`)
      return depth
    }
    if (path.length >= MAX_DEPTH) throw fail(`containers must nest at most ${MAX_DEPTH} deep`)
    depths.set(value, 0)
    path.push({ container: value, items, depth: 0 })
    return 0
  }

  function count(tensor: TorchTensor): void {
    if (seen.has(tensor)) return
    seen.add(tensor)
    shown += arrayBytes(tensor)!
    const limit = Math.max(fileBytes * MAX_SHOWN, MIN_SHOWN_BYTES)
    if (shown > limit) throw fail(`tensors must not have more than ${limit} bytes together in a file of ${fileBytes}`)
  }

  function requirePlain(value: unknown): number {
    const isPlain = value === null || ['boolean', 'number', 'bigint', 'string'].includes(typeof value)
    if (isPlain) return 0
    const { name } = value as { name?: unknown }
    throw fail(`asks to keep ${typeof name === 'string' ? JSON.stringify(name) : 'what is no value'}`)
  }
}

function itemsOf(value: object): Iterator<unknown> | undefined {
  if (Array.isArray(value)) return value.values()
  return value instanceof Map || value instanceof Set ? value.values() : undefined
}
