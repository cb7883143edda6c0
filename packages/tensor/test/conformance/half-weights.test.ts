import { type Backend, type Kernels, reference, type View } from '@dit/tensor'
import { runConformance } from '@dit/tensor/conformance'
import { expect, test } from 'vitest'

/** `reference` whose product is given another weight in half precision than the one that was passed. */
function engine(change: (weight: View) => View): Backend {
  const base = reference()
  const matmul: Kernels['matmul'] = (a, b, transposeA, transposeB, out) =>
    base.kernels.matmul(a, b.dtype === 'f64' ? b : change(b), transposeA, transposeB, out)
  return { ...base, name: 'mutant', kernels: { ...base.kernels, matmul } }
}

async function failed(backend: Backend, filter = /f16/): Promise<string[]> {
  const results = await runConformance(backend, { filter })
  return results.filter(({ error }) => error !== null).map(({ name }) => name)
}

/** The same weight with other patterns. */
function patterns({ buffer, byteOffset, shape, dtype }: View, change: (bits: number, index: number) => number): View {
  const size = shape.reduce((product, extent) => product * extent, 1)
  const bits = new Uint16Array(buffer as ArrayBuffer, byteOffset, size).map(change)
  return { buffer: bits.buffer, byteOffset: 0, shape, dtype }
}

test('reference passes', async () => {
  expect(await failed(engine((weight) => weight))).toEqual([])
})

test.each<[string, (weight: View) => View, RegExp]>([
  ['takes bf16 for f16', (w) => ({ ...patterns(w, (bits) => bits), dtype: 'f16' }), /bf16, \[17, 33\]/],
  ['swaps the halves of a word', swapped, / f16, \[2, 9, 8\] to 12/],
  ['drops the last bit', (w) => patterns(w, (bits) => bits & ~1), / f16, \[1, 5000\]/],
  ['takes subnormal numbers for normal ones', (w) => patterns(w, grown), / f16, every number/],
])('a product that %s fails', async (_, change, where) => {
  expect(await failed(engine(change), where)).not.toEqual([])
})

function swapped(weight: View): View {
  const { buffer } = patterns(weight, (bits) => bits)
  const all = new Uint16Array(buffer as ArrayBuffer)
  return patterns(weight, (bits, i) => all[i ^ 1] ?? bits)
}

/** Of f16: a zero exponent that is read as 1 has a hidden one. */
function grown(bits: number): number {
  return (bits & 0x7c00) === 0 && (bits & 0x3ff) !== 0 ? bits + 0x400 : bits
}

test('an engine without the dtypes passes', async () => {
  expect(await failed({ ...reference(), dtypes: ['f64', 'i32'] })).toEqual([])
})
