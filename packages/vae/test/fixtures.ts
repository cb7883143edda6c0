import { readFileSync } from 'node:fs'
import { readSafetensors, type SafetensorsFile } from '@dit/checkpoint'
import { type Backend, type Params, type Tensor, tensor, toFloat32Array } from '@dit/tensor'
import { loadVaeParams, type NamedFloats, type VaeConfig, vaeConfig } from '@dit/vae'
import { expect } from 'vitest'

/** Folders under fixtures/, made by tools/oracle/diffusers-vae.py. */
export const CASES = ['levels', 'tiled', 'bare'] as const

export interface Case {
  readonly config: VaeConfig
  readonly weights: SafetensorsFile
  readonly params: Params
  /** A tensor of expected.safetensors, on the backend. */
  readonly input: (name: string) => Promise<Tensor>
  /** Checks values against those of expected.safetensors. */
  readonly expectNear: (x: Tensor, name: string, tolerance?: number) => Promise<void>
}

export async function openCase(name: string, backend: Backend): Promise<Case> {
  const file = (part: string) => readFileSync(new URL(`fixtures/${name}/${part}`, import.meta.url))
  const config = vaeConfig(JSON.parse(file('config.json').toString()))
  const weights = readSafetensors(file('diffusion_pytorch_model.safetensors'))
  const expected = readSafetensors(file('expected.safetensors'))
  return {
    config,
    weights,
    params: await loadVaeParams(config, weights, { backend }),
    input: async (key) => tensor(await expected.float32(key), expected.entries.get(key)!.shape, { backend }),
    // PyTorch's float32 rounds sums of up to a hundred products in some twenty layers: a few 1e-6 of the largest value.
    expectNear: async (x, key, tolerance = 1e-5) => {
      expect(x.shape).toEqual(expected.entries.get(key)!.shape)
      const [got, want] = [await toFloat32Array(x), await expected.float32(key)]
      const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      const error = want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0)
      expect(error / largest, `largest error of ${key}`).toBeLessThan(tolerance)
    },
  }
}

/** Named arrays as a file would give them. */
export function asSource(
  arrays: Readonly<Record<string, { shape: readonly number[]; data: Float32Array }>>,
): NamedFloats {
  return {
    entries: new Map(Object.entries(arrays)),
    float32: (name) => Promise.resolve(arrays[name].data),
  }
}
