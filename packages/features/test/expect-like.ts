import { readFileSync } from 'node:fs'
import { readSafetensors } from '@dit/checkpoint'
import { expect } from 'vitest'

/** Features of a fixture that tools/oracle/features.py made, by layer: float64 evaluations. */
export async function expectedFeatures(name: string): Promise<Record<string, Float32Array>> {
  const file = readSafetensors(readFileSync(new URL(`fixtures/${name}.safetensors`, import.meta.url)))
  const layers = await Promise.all([...file.entries.keys()].map(async (key) => [key, await file.float32(key)] as const))
  return Object.fromEntries(layers)
}

/** Largest difference of two arrays, relative to the largest expected value. */
export function relativeError(got: ArrayLike<number>, want: Float32Array): number {
  expect(got.length).toBe(want.length)
  const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0) / largest
}
