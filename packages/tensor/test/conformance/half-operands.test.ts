import type { Backend, View } from '@dit/tensor'
import { runConformance } from '@dit/tensor/conformance'
import { expect, test } from 'vitest'
import { fusedReference } from '../fused-reference.js'

/** The nearest number with so many bits. */
function rounded(x: number, bits: number): number {
  if (x === 0 || !Number.isFinite(x)) return x
  const step = 2 ** (Math.floor(Math.log2(Math.abs(x))) - bits + 1)
  return Math.round(x / step) * step
}

const floats = ({ buffer, byteOffset, shape }: View): Float64Array =>
  new Float64Array(
    buffer as ArrayBuffer,
    byteOffset,
    shape.reduce((size, extent) => size * extent, 1),
  )

/** An engine in float64 whose linear layers see operands, and keep running sums, of so many bits. */
function engine({ operands, sums = 53 }: { operands: number; sums?: number }): Backend {
  const base = fusedReference()
  const linear = base.kernels.linear!
  const copied = (view: View): View => ({
    buffer: floats(view).map((value) => rounded(value, operands)).buffer,
    byteOffset: 0,
    shape: view.shape,
    dtype: view.dtype,
  })
  return {
    ...base,
    name: 'half',
    kernels: {
      ...base.kernels,
      linear(x, weight, bias, activation, out, keep) {
        const saved = linear(copied(x), copied(weight), bias, activation, out, keep)
        if (sums === 53 || activation !== 'none') return saved
        const [a, w, to, K] = [floats(copied(x)), floats(copied(weight)), floats(out), weight.shape[1]]
        const O = weight.shape[0]
        for (let i = 0; i < to.length; i++) {
          let sum = bias === null ? 0 : floats(bias)[i % O]
          for (let k = 0; k < K; k++) sum = rounded(sum + a[Math.floor(i / O) * K + k] * w[(i % O) * K + k], sums)
          to[i] = sum
        }
        return saved
      },
    },
  }
}

async function failures(backend: Backend): Promise<number> {
  const results = await runConformance(backend, { filter: /^linear:.*activation none/, operands: 'f16' })
  expect(results.length).toBeGreaterThan(10)
  return results.filter(({ error }) => error !== null).length
}

test('operands of 11 bits pass', async () => {
  expect(await failures(engine({ operands: 11 }))).toBe(0)
})

test('operands of 8 bits, as bfloat16 has them, fail in most cases', async () => {
  expect(await failures(engine({ operands: 8 }))).toBeGreaterThan(5)
})

test('running sums in half precision do not', async () => {
  expect(await failures(engine({ operands: 11, sums: 11 }))).toBeGreaterThan(0)
})

test('without the option operands of 11 bits do not', async () => {
  const results = await runConformance(engine({ operands: 11 }), { filter: /^linear:.*activation none/ })
  expect(results.every(({ error }) => error !== null)).toBe(true)
})
