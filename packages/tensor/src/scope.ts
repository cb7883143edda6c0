/** What a scope looks after: tensors, which register themselves when they are made. */
export abstract class Scoped {
  abstract dispose(): void
}

let scopes: Set<Scoped>[] = []

/** Enters a new tensor into the innermost scope. */
export function registerInScope(tensor: Scoped): void {
  scopes.at(-1)?.add(tensor)
}

/**
 * Runs `fn` and disposes of every tensor made inside, except those in what it returns. These belong to the scope around,
 * or to the caller where there is none.
 *
 * A result is searched through arrays, `Set`s, the values of `Map`s, and the enumerable properties of objects that are
 * plain or have no prototype; they may nest to any depth and hold themselves. Class instances, functions and the keys of
 * `Map`s are not searched: return the tensors beside them.
 *
 * ```js
 * const norm = scope(() => sqrt(sum(square(x))))
 * ```
 *
 * @throws TypeError when `fn` returns a promise: tensors made after an `await` would belong to somebody else's scope
 */
export function scope<T>(fn: () => T): T {
  const own = new Set<Scoped>()
  scopes.push(own)
  let result: T | undefined
  let kept = new Set<Scoped>()
  try {
    result = fn()
    if (result instanceof Promise) throw new TypeError('scope: the callback must not be async (it returned a promise)')
    kept = tensorsIn(result)
    return result
  } finally {
    scopes.pop()
    for (const tensor of own) {
      if (kept.has(tensor)) registerInScope(tensor)
      else tensor.dispose()
    }
  }
}

/**
 * Takes the tensors in a value, searched as `scope` searches its result, out of every open scope: they live until they
 * are disposed of. Returns its argument.
 */
export function keep<T>(value: T): T {
  for (const tensor of tensorsIn(value)) for (const open of scopes) open.delete(tensor)
  return value
}

/** Runs `fn` as if no scope were open around it. */
export function outsideScopes<T>(fn: () => T): T {
  const outer = scopes
  scopes = []
  try {
    return fn()
  } finally {
    scopes = outer
  }
}

/** Disposes of every tensor in a value, which is searched as `scope` searches its result. */
export function dispose(value: unknown): void {
  for (const tensor of tensorsIn(value)) tensor.dispose()
}

function tensorsIn(value: unknown): Set<Scoped> {
  if (value instanceof Scoped) return new Set([value])
  const found = new Set<Scoped>()
  const seen = new Set<unknown>()
  // A list of what is still to be searched, not recursion: a long chain must not overflow the stack.
  const left: unknown[] = []
  const visit = (item: unknown) => {
    if (item === null || typeof item !== 'object' || seen.has(item)) return
    seen.add(item)
    if (item instanceof Scoped) found.add(item)
    else left.push(item)
  }
  visit(value)
  while (left.length > 0) for (const item of partsOf(left.pop() as object)) visit(item)
  return found
}

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value
  if (value instanceof Map) return value.values()
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null ? Object.values(value) : []
}
