/** What a scope looks after: tensors, which register themselves when they are made. */
interface Scoped {
  dispose(): void
}

const registered = new WeakSet<object>()
let scopes: Set<Scoped>[] = []

/** Enters a new tensor into the innermost scope. */
export function registerInScope(tensor: Scoped): void {
  registered.add(tensor)
  scopes.at(-1)?.add(tensor)
}

/**
 * Runs `fn` and disposes of every tensor made inside, except those in what it returns (a tensor, or an array, `Map` or
 * plain object of them, nested as deep as you like). These belong to the scope around, or to the caller where there is none.
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

/** Takes tensors out of every open scope: they live until they are disposed of. Returns its argument. */
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

/** Disposes of every tensor in a tensor, array, `Map` or plain object. */
export function dispose(value: unknown): void {
  for (const tensor of tensorsIn(value)) tensor.dispose()
}

function tensorsIn(value: unknown, found = new Set<Scoped>()): Set<Scoped> {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return found
  if (registered.has(value)) found.add(value as Scoped)
  else if (Array.isArray(value)) for (const item of value) tensorsIn(item, found)
  else if (value instanceof Map) for (const item of value.values()) tensorsIn(item, found)
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) tensorsIn(item, found)
  }
  return found
}
