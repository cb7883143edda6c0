/** The error that `run` throws, as `Name: text`, so that one run is enough to check both. */
export function caught(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return String(error)
  }
  throw new Error('nothing was thrown')
}

/** What a promise resolves to, or undefined where it fails with this kind of error. Other errors pass. */
export async function unless<T>(kind: new (text: string) => Error, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof kind) return undefined
    throw error
  }
}
