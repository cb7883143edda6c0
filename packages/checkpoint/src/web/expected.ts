import { isLfsPointer, LFS_PROBLEM } from './not-the-file.js'
import { sha256Of } from './sha256.js'

/** What is known of a file before it comes. */
export interface Expected {
  readonly size?: number | undefined
  /** Hexadecimal. */
  readonly sha256?: string | undefined
}

/** @throws TypeError unless `sha256` is one */
export function checkSha256(who: string, sha256: string | undefined): void {
  if (sha256 === undefined) return
  if (!/^[\da-f]{64}$/i.test(sha256)) {
    throw new TypeError(`${who}: sha256 must be 64 hexadecimal digits (got ${JSON.stringify(sha256)})`)
  }
}

/** What is wrong with the bytes of a whole file, as the end of a sentence, or null. */
export async function problemOf(file: Uint8Array<ArrayBuffer>, { size, sha256 }: Expected): Promise<string | null> {
  if (isLfsPointer(file)) return LFS_PROBLEM
  if (size !== undefined && file.length !== size) return sizeProblem(file.length, size)
  if (sha256 === undefined) return null
  const given = await sha256Of(file)
  return given === sha256.toLowerCase() ? null : `has SHA-256 ${given}, not the expected ${sha256.toLowerCase()}`
}

/** As the end of a sentence. */
export function sizeProblem(given: number | string, expected: number): string {
  return `has ${given} bytes, not the expected ${expected}`
}
