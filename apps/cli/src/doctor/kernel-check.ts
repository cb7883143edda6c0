import { randomStream, uniforms } from '@dit/random'
import {
  attention,
  type Backend,
  layerNormModulate,
  linear,
  reference,
  scope,
  type Tensor,
  tensor,
  toFloat32Array,
} from '@dit/tensor'

/** Result of a few kernels on an engine, beside plain float64 loops. */
export interface KernelCheck {
  /** Largest difference over all kernels, relative to the largest value of the kernel's result. */
  readonly largestError: number
  readonly isRight: boolean
  readonly milliseconds: number
}

/** Sums of up to 96 float32 products; engines are at some 1e-6. */
const TOLERANCE = 1e-4
const [B, N, D, HEADS] = [2, 16, 96, 6]

/** Runs those kernels of a transformer block that cost the most: linear layers, attention, norm with modulation. */
export async function checkKernels(backend: Backend): Promise<KernelCheck> {
  const oracle = reference()
  try {
    const expected = await runKernels(oracle)
    const began = performance.now()
    const found = await runKernels(backend)
    const milliseconds = performance.now() - began
    const largestError = Math.max(...found.map((values, k) => relativeError(values, expected[k])))
    return { largestError, isRight: largestError <= TOLERANCE, milliseconds }
  } finally {
    await oracle.dispose()
  }
}

async function runKernels(backend: Backend): Promise<Float32Array[]> {
  const draw = (name: string, shape: readonly number[]) => {
    const size = shape.reduce((product, extent) => product * extent, 1)
    return tensor(
      uniforms(randomStream(0, 'doctor', name), size).map((value) => 2 * value - 1),
      shape,
      { backend },
    )
  }
  const results = scope((): Tensor[] => {
    const x = draw('x', [B, N, D])
    const normed = layerNormModulate(x, draw('shift', [B, D]), draw('scale', [B, D]), 1e-6)
    const qkv = linear(normed, draw('weight', [3 * D, D]), draw('bias', [3 * D]), { activation: 'gelu' })
    return [normed, qkv, attention(qkv, HEADS)]
  })
  try {
    return await Promise.all(results.map(toFloat32Array))
  } finally {
    for (const result of results) result.dispose()
  }
}

/** Infinite where a value is not a number. */
export function relativeError(found: Float32Array, expected: Float32Array): number {
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  let largest = 0
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(found[i] - expected[i])
    if (!(error <= largest)) largest = Number.isNaN(error) ? Infinity : error
  }
  return largest / scale
}
