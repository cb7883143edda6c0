import { createHash } from 'node:crypto'
import {
  attention,
  type Backend,
  dispose,
  linear,
  mul,
  randomNormal,
  randomStream,
  sum,
  tensor,
  type Tensor,
  valueAndGrad,
} from '@dit/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpu, describeCpu } from '../src/index.js'
import { bf16Engines } from './engines.js'

const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

/** The bf16 number nearest to a finite number, to even; below the smallest normal one 0. */
function rounded(x: number): number {
  float[0] = x
  word[0] = (word[0] & 0x7f80_0000) === 0 ? 0 : (word[0] + 0x7fff + ((word[0] >>> 16) & 1)) & 0xffff_0000
  return float[0]
}

const flushed = (x: number) => (Math.abs(x) < 2 ** -126 ? 0 : x)

/**
 * The definition, for one stretch of rounded operands: pair after pair, the second product first, each added with one rounding.
 * Products of bf16 numbers are exact in float64, and so is a sum of one with a float32 where their exponents are near; then
 * fround rounds once.
 */
function dot(a: readonly number[], b: readonly number[]): number {
  let total = 0
  for (let p = 0; p < a.length; p += 2) {
    for (const i of [p + 1, p]) {
      if (i < a.length) total = flushed(Math.fround(total + a[i] * b[i]))
    }
  }
  return total
}

/** x [rows, K] times weight [outputs, K] transposed. */
async function product(
  backend: Backend,
  x: readonly number[],
  weight: readonly number[],
  K: number,
): Promise<number[]> {
  const [a, w] = [tensor(x, [x.length / K, K], { backend }), tensor(weight, [weight.length / K, K], { backend })]
  const out = linear(a, w, null)
  const data = [...(await out.data())]
  dispose([a, w, out])
  return data
}

/** Float32 numbers of the same magnitude, so that sums in float64 are exact. */
const draw = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.fround(Math.sin(seed + i * (i + 3)) * 1.7))

const sized = (backend: Backend, label: string, shape: readonly number[]) =>
  randomNormal(shape, randomStream(3, label), { backend })

async function numbersOf(tensors: Readonly<Record<string, Tensor>>): Promise<Record<string, Float32Array>> {
  const results: Record<string, Float32Array> = {}
  for (const [name, each] of Object.entries(tensors)) results[name] = (await each.data()) as Float32Array
  return results
}

/** Their bits, quickly compared. */
const digests = (results: Readonly<Record<string, Float32Array>>) =>
  Object.entries(results).map(([name, values]) => `${name} ${createHash('sha256').update(values).digest('hex')}`)

/** A layer and its gradients. `K` beyond a stretch, odd extents, few rows and many. */
async function layer(backend: Backend, rows: number, K: number, O: number) {
  const params = {
    x: sized(backend, 'x', [rows, K]),
    weight: sized(backend, 'weight', [O, K]),
    bias: sized(backend, 'bias', [O]),
  }
  const slope = sized(backend, 'slope', [rows, O])
  const { loss, aux, gradients } = valueAndGrad(params, ({ x, weight, bias }) => {
    const out = linear(x, weight, bias)
    return { loss: sum(mul(out, slope)), out }
  })
  const results = await numbersOf({ out: aux.out, ...gradients })
  dispose([params, slope, loss, aux, gradients])
  return results
}

async function heads(backend: Backend, tokens: number, width: number, numHeads: number) {
  const params = { qkv: sized(backend, `qkv ${tokens} ${width}`, [2, tokens, 3 * width]) }
  const slope = sized(backend, 'slope', [2, tokens, width])
  const { loss, aux, gradients } = valueAndGrad(params, ({ qkv }) => {
    const out = attention(qkv, numHeads)
    return { loss: sum(mul(out, slope)), out }
  })
  const results = await numbersOf({ out: aux.out, ...gradients })
  dispose([params, slope, loss, aux, gradients])
  return results
}

const SHAPES = [
  [3, 5, 7],
  [17, 33, 65],
  [130, 1537, 40],
  [601, 96, 130],
] as const

const onEach = async <T>(run: (backend: Backend) => Promise<T>) => {
  const results: T[] = []
  for (const { options } of bf16Engines) {
    const backend = await cpu(options)
    results.push(await run(backend))
    await backend.dispose()
  }
  return results
}

describe.each(bf16Engines)('$label', ({ options }) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await cpu(options)
  })
  afterAll(async () => {
    await backend.dispose()
  })

  test('describes itself', () => {
    expect(backend.name).toBe('cpu-native-bf16')
    const { precision, multiply } = describeCpu(backend)
    expect([precision, multiply]).toEqual(['bf16', options.multiply])
  })

  test.each([1, 2, 5, 8, 65, 767])('a product of %i terms has the bits of the definition', async (K) => {
    const [x, weight] = [draw(20 * K, 1), draw(40 * K, 2)]
    const row = (from: readonly number[], i: number) => from.slice(i * K, i * K + K).map(rounded)
    const want = Array.from({ length: 800 }, (_, i) => dot(row(x, Math.floor(i / 40)), row(weight, i % 40)))
    expect(await product(backend, x, weight, K)).toEqual(want)
  })

  test('operands are rounded to nearest, ties to even', async () => {
    const tie = 1 + 2 ** -8
    const values = [tie, tie + 2 ** -7, tie + 2 ** -20, tie - 2 ** -20, -tie, 3.4028234663852886e38]
    expect(await product(backend, [1], values, 1)).toEqual([1, 1 + 2 ** -6, 1 + 2 ** -7, 1, -1, Infinity])
  })

  test('the second product of a pair is added before the first', async () => {
    // From 2^24 on float32 has even numbers only, and half-way goes to multiples of 4.
    const ones = [1, 1, 1, 1]
    expect(await product(backend, ones, [2 ** 24, 0, 2, 1], 4)).toEqual([2 ** 24 + 2])
    expect(await product(backend, ones, [2 ** 24, 0, 1, 2], 4)).toEqual([2 ** 24 + 4])
  })

  test('infinities and NaN come out as in float32', async () => {
    const values = [Infinity, -Infinity, NaN, 1, 0]
    expect(await product(backend, [2], values, 1)).toEqual([Infinity, -Infinity, NaN, 2, 0])
    expect(await product(backend, [0], values, 1)).toEqual([NaN, NaN, NaN, 0, 0])
    expect(await product(backend, [1, 1], [Infinity, -Infinity], 2)).toEqual([NaN])
    // The zero that fills up an odd k meets no infinity.
    expect(await product(backend, [1, 1, 1], [1, 1, Infinity], 3)).toEqual([Infinity])
  })

  test('denormals are zeros, as operands and as sums', async () => {
    const tiny = 2 ** -127
    expect(await product(backend, [2 ** 100], [tiny, -tiny, 2 ** -126], 1)).toEqual([0, 0, 2 ** -26])
    expect(await product(backend, [2 ** -64, 0], [2 ** -63, 0], 2)).toEqual([0])
    expect(await product(backend, [2 ** -63, 0], [2 ** -63, 0], 2)).toEqual([2 ** -126])
    // Not what a sum of them might have been: each is gone before the next.
    const quarter = [2 ** -64, 2 ** -64, 2 ** -64, 2 ** -64]
    expect(await product(backend, quarter, quarter, 4)).toEqual([0])
  })

  test('an attention whose scores overflow is NaN, and one that a key wins has no gradient for its scores', async () => {
    const qkv = tensor(Array(3 * 4 * 2).fill(2e38), [1, 2, 12], { backend })
    const out = attention(qkv, 1)
    expect([...(await out.data())].every(Number.isNaN)).toBe(true)
    dispose([qkv, out])
    // Two tokens, one head of 2: the scores are 200 apart.
    const values = [20, 0, 20, 0, 1.37, -2.6, 20, 0, 0, 0, 0.3, 5.1]
    const params = { qkv: tensor(values, [1, 2, 6], { backend }) }
    const slope = tensor([0.77, -1.3, 2.1, 0.11], [1, 2, 2], { backend })
    const { loss, gradients } = valueAndGrad(params, (p) => ({ loss: sum(mul(attention(p.qkv, 1), slope)) }))
    const gradient = [...(await gradients.qkv.data())]
    expect([0, 1, 2, 3, 6, 7, 8, 9].map((i) => Math.abs(gradient[i]))).toEqual(Array(8).fill(0))
    dispose([params, slope, loss, gradients])
  })
})

const both = bf16Engines.length > 1
test.runIf(both)('every way of products gives the same bits: layers and their gradients', async () => {
  for (const [rows, K, O] of SHAPES) {
    const [first, ...others] = await onEach(async (backend) => digests(await layer(backend, rows, K, O)))
    for (const other of others) expect(other).toEqual(first)
  }
})

test.runIf(both)('every way of products gives the same bits: attention and its gradient', async () => {
  for (const [tokens, width, numHeads] of [
    [1, 4, 2],
    [65, 33, 3],
    [200, 144, 2],
    [140, 200, 1],
  ] as const) {
    const [first, ...others] = await onEach(async (backend) => digests(await heads(backend, tokens, width, numHeads)))
    // Without fused multiply-add exponentials differ.
    const fused = others.filter((_, i) => bf16Engines[i + 1].options.instructionSet !== 'sse2')
    for (const other of fused) expect(other).toEqual(first)
  }
})

test.runIf(bf16Engines.length > 0)('the same bits on 1, 2 and 3 threads', async () => {
  const runs = []
  for (const threads of [1, 2, 3]) {
    const backend = await cpu({ ...bf16Engines[0].options, threads })
    runs.push([...digests(await layer(backend, 130, 801, 40)), ...digests(await heads(backend, 140, 48, 3))])
    await backend.dispose()
  }
  expect(runs[1]).toEqual(runs[0])
  expect(runs[2]).toEqual(runs[0])
})

test.runIf(bf16Engines.length > 0)('differs from float32, by what 8 bits give', async () => {
  const full = await cpu({ engine: 'native', threads: 1 })
  const half = await cpu({ ...bf16Engines[0].options })
  const [want, got] = [await layer(full, 130, 1537, 40), await layer(half, 130, 1537, 40)]
  const distance = (name: string) => Math.max(...want[name].map((value, i) => Math.abs(value - got[name][i])))
  // 1,537 products of normals, each of two operands off by 2^-9 at most.
  expect(distance('out')).toBeGreaterThan(0.01)
  expect(distance('out')).toBeLessThan(1)
  expect(distance('bias')).toBe(0)
  await full.dispose()
  await half.dispose()
})

test('is refused by name where it is not', async () => {
  await expect(cpu({ engine: 'wasm', precision: 'bf16' })).rejects.toThrow(
    new RangeError("cpu: precision 'bf16' needs the native engine"),
  )
  await expect(cpu({ instructionSet: 'simd128', precision: 'bf16' })).rejects.toThrow('needs the native engine')
  await expect(cpu({ precision: 'f16' as 'bf16' })).rejects.toThrow(
    new TypeError("cpu: precision must be 'f32' or 'bf16' (got \"f16\")"),
  )
  await expect(cpu({ multiply: 'fast' as 'auto' })).rejects.toThrow(
    new TypeError("cpu: multiply must be 'auto' or 'pairs' or 'widened' (got \"fast\")"),
  )
  await expect(cpu({ multiply: 'pairs' })).rejects.toThrow(new RangeError("cpu: multiply needs precision 'bf16'"))
})

test.runIf(both)('a way that an instruction set does not have is an error', async () => {
  await expect(cpu({ precision: 'bf16', instructionSet: 'avx2', multiply: 'pairs' })).rejects.toThrow(
    new RangeError(
      "cpu: multiply 'pairs' needs AVX512-BF16, but the instruction set is avx2; 'widened' gives the same bits",
    ),
  )
})
