import {
  type Activation,
  type Backend,
  type DType,
  dispose,
  gatedResidual,
  linear,
  randomNormal,
  randomStream,
  reference,
  scope,
  type Tensor,
  tensor,
  zeros,
} from '@dit/tensor'
import { expect } from 'vitest'
import type { WebGpuOptions } from '../src/index.js'
import { nullBackend } from './drivers.js'

export async function expectSameBits(backend: Backend, [M, K, O]: number[], activations: Activation[]): Promise<void> {
  const x = randomNormal([M, K], randomStream(0, 'x'), { backend })
  const bits = halfBits(O * K)
  const whole = tensor(await decoded(bits, 'f16'), [O, K], { backend })
  const half = tensor(bits, [O, K], { backend, dtype: 'f16' })
  for (const activation of activations) {
    const [want, got] = [whole, half].map((weight) => linear(x, weight, null, { activation }))
    expect(await got.data()).toEqual(await want.data())
    dispose([want, got])
  }
  dispose([x, whole, half])
}

/** Kernels of every kind, on an engine that compiles and computes nothing. */
export async function expectToCompile(precision: WebGpuOptions): Promise<void> {
  for (const tiles of ['large', 'small'] as const) {
    const backend = await nullBackend({ ...precision, tiles })
    for (const dtype of ['f16', 'bf16'] as const) {
      for (const [M, K, O] of [
        [3, 5, 7],
        [3, 8, 8],
        [600, 12, 600],
        [1400, 7, 1400],
      ]) {
        const x = zeros([1, M, K], { backend })
        const weight = tensor(new Uint16Array(O * K), [O, K], { backend, dtype })
        const [bias, tokens, gate] = [[O], [1, M, O], [1, O]].map((shape) => zeros(shape, { backend }))
        const outs: Tensor[] = (['none', 'gelu', 'silu'] as const).map((activation) =>
          linear(x, weight, bias, { activation }),
        )
        outs.push(scope(() => gatedResidual(tokens, gate, linear(x, weight, null))))
        for (const out of outs) expect(await out.data()).toHaveLength(M * O)
      }
    }
    await backend.dispose()
  }
}

/** Finite patterns of f16 around 1, of both signs. */
export function halfBits(count: number): Uint16Array {
  return Uint16Array.from({ length: count }, (_, i) => ((i * 0x9e37) & 0x83ff) | (i % 3 === 0 ? 0x3800 : 0x3c00))
}

export async function decoded(bits: Uint16Array, dtype: DType): Promise<Float32Array> {
  const backend = reference()
  const one = tensor([1], [1], { backend })
  return Float32Array.from(await linear(one, tensor(bits, [bits.length, 1], { backend, dtype }), null).data())
}
