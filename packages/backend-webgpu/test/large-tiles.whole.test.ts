import {
  type Backend,
  attention,
  matmul,
  randomNormal,
  randomStream,
  reference,
  scope,
  tensor,
  valueAndGrad,
  mean,
  mul,
} from '@dit/tensor'
import { afterAll, beforeAll, expect } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu } from '../src/index.js'
import { testAdapter } from './drivers.js'

// The tiles of real cards, which the software drivers of the conformance suite do not get.
const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await webgpu({ ...options, tiles: 'large' })
})
afterAll(async () => {
  await backend?.dispose()
})

const draw = (on: Backend, name: string, shape: readonly number[]) =>
  randomNormal(shape, randomStream(3, name), { backend: on })

/** Some entries of the product of two matrices, in float64. */
function entry(
  a: Float32Array,
  b: Float32Array,
  at: { m: number; n: number },
  step: { a: number[]; b: number[] },
  K: number,
) {
  let sum = 0
  for (let k = 0; k < K; k++) sum += a[at.m * step.a[0] + k * step.a[1]] * b[k * step.b[0] + at.n * step.b[1]]
  return sum
}

for (const [M, N, K] of [
  [1283, 1277, 19],
  [448, 444, 20],
]) {
  test(`products of [${M}, ${N}] with ${K} terms agree with float64 in all transposes`, async () => {
    for (const [transposeA, transposeB] of [
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ]) {
      const a = draw(backend, 'a', transposeA ? [K, M] : [M, K])
      const b = draw(backend, 'b', transposeB ? [N, K] : [K, N])
      const out = matmul(a, b, { transposeA, transposeB })
      const [av, bv, got] = (await Promise.all([a.data(), b.data(), out.data()])) as Float32Array[]
      const step = { a: transposeA ? [1, M] : [K, 1], b: transposeB ? [1, K] : [N, 1] }
      let worst = 0
      for (let i = 0; i < 20_000; i++) {
        const [m, n] = [(i * 7919) % M, (i * 104_729) % N]
        worst = Math.max(worst, Math.abs(got[m * N + n] - entry(av, bv, { m, n }, step, K)))
      }
      // float32, 20 products of numbers up to 5
      expect(worst).toBeLessThan(20 * 25 * 2 ** -23)
      for (const x of [a, b, out]) x.dispose()
    }
  })
}

for (const headDim of [64, 72]) {
  test(`attention of head width ${headDim} and its gradient agree with float64`, async () => {
    const run = async (on: Backend, values: Float32Array, weights: Float32Array) => {
      const shape = [2, 70, 3 * 2 * headDim]
      const results = scope(() => {
        const qkv = tensor(values, shape, { backend: on })
        const weight = tensor(weights, [2, 70, 2 * headDim], { backend: on })
        const { aux, gradients } = valueAndGrad({ qkv }, (p) => {
          const out = attention(p.qkv, 2)
          return { loss: mean(mul(out, weight)), out }
        })
        return [aux.out, gradients.qkv]
      })
      const values64 = await Promise.all(results.map((x) => x.data()))
      for (const x of results) x.dispose()
      return values64
    }
    const values = (await draw(backend, 'qkv', [2, 70, 6 * headDim]).data()) as Float32Array
    const weights = (await draw(backend, 'weight', [2, 70, 2 * headDim]).data()) as Float32Array
    const [got, want] = [await run(backend, values, weights), await run(reference(), values, weights)]
    for (const [i, expected] of want.entries()) {
      const scale = Math.max(...Array.from(expected, Math.abs))
      const worst = Math.max(...Array.from(expected, (value, at) => Math.abs(got[i][at] - value)))
      // float32, sums of 70 and of headDim terms, each of which carries the errors of an exponential
      expect(worst / scale).toBeLessThan(2e-5)
    }
  })
}
