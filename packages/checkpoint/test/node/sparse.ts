/** A file of zeros but for these parts, the last of which ends it. */
export function sparse(parts: readonly (readonly [start: number, bytes: Uint8Array])[]) {
  const [lastStart, last] = parts.at(-1)!
  const read = async (start: number, end: number) => {
    const bytes = new Uint8Array(end - start)
    for (const [from, part] of parts) {
      const [a, b] = [Math.max(start, from), Math.min(end, from + part.length)]
      if (a < b) bytes.set(part.subarray(a - from, b - from), a - start)
    }
    return bytes
  }
  return { size: lastStart + last.length, read }
}
