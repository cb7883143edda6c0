/**
 * Checks that `fn` throws an error of this kind whose text holds `part`. Returns 0, as cases do.
 */
export function expectError(fn: () => unknown, kind: typeof Error, part: string): number {
  try {
    fn()
  } catch (error) {
    if (error instanceof kind && error.message.includes(part)) return 0
    throw new Error(`expected a ${kind.name} with "${part}" (got ${String(error)})`, { cause: error })
  }
  throw new Error(`expected a ${kind.name} with "${part}", but nothing was thrown`)
}
