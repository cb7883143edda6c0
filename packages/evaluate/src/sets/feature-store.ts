/** Numbers that a store keeps. */
export interface StoredNumbers {
  readonly shape: readonly number[]
  readonly data: Float32Array | Uint8Array
}

/**
 * Where pictures that were drawn, and features, are kept by what decides them: whoever asks again gets them without computing, and an
 * evaluation that was stopped goes on.
 */
export interface FeatureStore {
  /** What was kept under a key; null where nothing was, or it cannot be read any more. */
  read(key: string): Promise<Readonly<Record<string, StoredNumbers>> | null>
  write(key: string, arrays: Readonly<Record<string, StoredNumbers>>): Promise<void>
}

/** A store in memory, for one evaluation. */
export function memoryStore(): FeatureStore {
  const kept = new Map<string, Readonly<Record<string, StoredNumbers>>>()
  return {
    read: async (key) => kept.get(key) ?? null,
    async write(key, arrays) {
      kept.set(key, arrays)
    },
  }
}
