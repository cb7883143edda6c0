import { readFileSync } from 'node:fs'
import type { Tensor } from '@dit/tensor'
import { expect } from 'vitest'
import { float } from './tensors.js'

interface StoredTensor {
  readonly dtype: 'F32' | 'F64' | 'I32'
  readonly shape: number[]
  readonly base64: string
  readonly atol?: number
}

export interface Fixture {
  readonly names: readonly string[]
  readonly tensor: (name: string) => Tensor
  readonly timesteps: (name: string) => Int32Array
  /** Within the tolerance of the fixture set, which is ten times the error of a float32 run. */
  readonly expectClose: (name: string, actual: Tensor) => Promise<void>
}

/** A file of `test/fixtures`; its `origin` says where it comes from. */
export function readFixture(name: string): Fixture {
  const path = new URL(`./fixtures/${name}.json`, import.meta.url)
  const { tensors } = JSON.parse(readFileSync(path, 'utf8')) as { tensors: Record<string, StoredTensor> }
  const values = (key: string) => decode(tensors[key])
  return {
    names: Object.keys(tensors),
    tensor: (key) => float(values(key), tensors[key].shape),
    timesteps: (key) => Int32Array.from(values(key)),
    async expectClose(key, actual) {
      const { shape, atol } = tensors[key]
      expect(actual.shape).toEqual(shape)
      const error = Math.max(...(await actual.data()).map((value, i) => Math.abs(value - values(key)[i])))
      expect(error).toBeLessThanOrEqual(atol!)
    },
  }
}

function decode({ dtype, base64 }: StoredTensor): Float32Array | Float64Array | Int32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64')).buffer
  if (dtype === 'F64') return new Float64Array(bytes)
  return dtype === 'F32' ? new Float32Array(bytes) : new Int32Array(bytes)
}
