import { readFileSync } from 'node:fs'
import type { Tensor } from '@dit/tensor'
import { expect } from 'vitest'
import { float } from '../../diffusion/test/tensors.js'

interface StoredTensor {
  readonly dtype: 'F32' | 'F64' | 'I32'
  readonly shape: number[]
  readonly base64: string
  readonly atol?: number
  readonly atolPerStep?: number[]
}

export interface Fixture {
  readonly config: { readonly respacing: string; readonly eta?: number; readonly clipDenoised?: boolean }
  /** The tensor, or its entry for one step of a chain. */
  readonly tensor: (name: string, step?: number) => Tensor
  readonly integers: (name: string, step?: number) => Int32Array
  /** Within the tolerance of the fixture set, which is ten times the error of a float32 run. */
  readonly expectClose: (name: string, actual: Tensor, step?: number) => Promise<void>
}

/** A file of `test/fixtures`; its `origin` says where it comes from. */
export function readFixture(name: string): Fixture {
  const path = new URL(`./fixtures/${name}.json`, import.meta.url)
  const { config, tensors } = JSON.parse(readFileSync(path, 'utf8')) as Pick<Fixture, 'config'> & {
    tensors: Record<string, StoredTensor>
  }
  const entry = (key: string, step?: number) => {
    const values = decode(tensors[key])
    const { shape } = tensors[key]
    if (step === undefined) return { values, shape }
    const size = values.length / shape[0]
    return { values: values.slice(step * size, (step + 1) * size), shape: shape.slice(1) }
  }
  return {
    config,
    tensor(key, step) {
      const { values, shape } = entry(key, step)
      return float(values, shape)
    },
    integers: (key, step) => Int32Array.from(entry(key, step).values),
    async expectClose(key, actual, step) {
      const { values, shape } = entry(key, step)
      expect(actual.shape).toEqual(shape)
      const { atol, atolPerStep } = tensors[key]
      const error = Math.max(...(await actual.data()).map((value, i) => Math.abs(value - values[i])))
      expect(error, `${key} ${step}`).toBeLessThanOrEqual((step === undefined ? atol : (atolPerStep?.[step] ?? atol))!)
    },
  }
}

function decode({ dtype, base64 }: StoredTensor): Float32Array | Float64Array | Int32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64')).buffer
  if (dtype === 'F64') return new Float64Array(bytes)
  return dtype === 'F32' ? new Float32Array(bytes) : new Int32Array(bytes)
}
