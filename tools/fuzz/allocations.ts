const ARRAYS = [
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const

/**
 * Notes the bytes of every typed array that is made from here on, in this thread. Returns a function that gives the largest
 * since its last call. To be called before what is measured is imported.
 */
export function watchAllocations(): () => number {
  let largest = 0
  for (const name of ARRAYS) {
    const Original = globalThis[name] as Uint8ArrayConstructor
    const watched = new Proxy(Original, {
      construct(target, args: unknown[], newTarget) {
        const made = Reflect.construct(target, args, newTarget === watched ? target : newTarget) as Uint8Array
        // Views make no memory.
        if (typeof args[0] !== 'object' || ArrayBuffer.isView(args[0])) largest = Math.max(largest, made.byteLength)
        return made
      },
    })
    // `slice` and its like ask the prototype for the class.
    Object.defineProperty(Original.prototype, 'constructor', { value: watched, configurable: true, writable: true })
    Object.defineProperty(globalThis, name, { value: watched, configurable: true, writable: true })
  }
  return () => {
    const seen = largest
    largest = 0
    return seen
  }
}
