import { isLfsPointer, LFS_PROBLEM } from './not-the-file.js'

/** What is known of a file before it comes. */
export interface Expected {
  readonly size?: number | undefined
  /** Hexadecimal. */
  readonly sha256?: string | undefined
}

/** @throws TypeError unless `sha256` is one; Error where it cannot be computed */
export function checkSha256(who: string, sha256: string | undefined): void {
  if (sha256 === undefined) return
  if (!/^[\da-f]{64}$/i.test(sha256)) {
    throw new TypeError(`${who}: sha256 must be 64 hexadecimal digits (got ${JSON.stringify(sha256)})`)
  }
  if (subtle() === undefined) {
    throw new Error(
      `${who}: sha256 needs crypto.subtle, and browsers offer that to secure pages only; serve this one over https or from localhost`,
    )
  }
}

/** What is wrong with the bytes of a whole file, as the end of a sentence, or null. */
export async function problemOf(file: Uint8Array<ArrayBuffer>, { size, sha256 }: Expected): Promise<string | null> {
  if (isLfsPointer(file)) return LFS_PROBLEM
  if (size !== undefined && file.length !== size) return sizeProblem(file.length, size)
  if (sha256 === undefined) return null
  let given: string
  try {
    given = hexadecimal(await subtle()!.digest('SHA-256', file))
  } catch (error) {
    // Node's takes less than 2 GiB.
    return `has ${file.length} bytes, whose SHA-256 crypto.subtle does not compute (${(error as Error).message})`
  }
  return given === sha256.toLowerCase() ? null : `has SHA-256 ${given}, not the expected ${sha256.toLowerCase()}`
}

/** As the end of a sentence. */
export function sizeProblem(given: number | string, expected: number): string {
  return `has ${given} bytes, not the expected ${expected}`
}

function hexadecimal(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** In pages that are not served securely there is none. */
function subtle(): SubtleCrypto | undefined {
  return (globalThis as { crypto?: { subtle?: SubtleCrypto } }).crypto?.subtle
}
