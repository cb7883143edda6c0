import { vi } from 'vitest'

/** A Cache Storage with one cache, in memory; what it keeps, by address. */
export function stubCache(): Map<string, Response> {
  const kept = new Map<string, Response>()
  const cache = {
    match: async (url: string) => kept.get(url)?.clone(),
    put: async (url: string, response: Response) => void kept.set(url, response),
    delete: async (url: string) => kept.delete(url),
  }
  vi.stubGlobal('caches', { open: async () => cache })
  return kept
}
