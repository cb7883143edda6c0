import {
  linear,
  matmul,
  permute,
  randomNormal,
  randomStream,
  reference,
  sum,
  toBackend,
  valueAndGrad,
} from '@dit/tensor'
import { tfjs } from '@dit/backend-tfjs'
import { expect, test } from 'vitest'

// Sizes beyond those of the conformance suite, at which the wasm kernels go other ways.
const wasm = await tfjs({ engine: 'wasm' })
const oracle = reference()

/** Largest difference to the oracle over the largest value. */
async function distance(got: { data(): Promise<ArrayLike<number>> }, want: typeof got): Promise<number> {
  const [a, b] = [await got.data(), await want.data()]
  expect(a.length).toBe(b.length)
  let [difference, size] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs(a[i] - b[i]))
    size = Math.max(size, Math.abs(b[i]))
  }
  return difference / size
}

const draw = (name: string, shape: readonly number[]) => randomNormal(shape, randomStream(3, name), { backend: oracle })

test.each([
  // Rows M, channels in K, channels out O: tall; a weight larger than the rows; more in than out.
  [1024, 24, 40],
  [512, 64, 8],
  [8, 64, 96],
  [96, 64, 8],
])('linear of %i rows from %i to %i channels, both ways', async (M, K, O) => {
  const inputs = { x: draw('x', [M, K]), weight: draw('weight', [O, K]), bias: draw('bias', [O]) }
  const onWasm = Object.fromEntries(
    await Promise.all(Object.entries(inputs).map(async ([name, x]) => [name, await toBackend(x, wasm)])),
  )
  const run = (params: typeof inputs) =>
    valueAndGrad(params, (p) => {
      const out = linear(p.x, p.weight, p.bias, { activation: 'silu' })
      return { loss: sum(out), out }
    })
  const [want, got] = [run(inputs), run(onWasm)]
  // float32, sums of up to 1024 terms of either sign.
  expect(await distance(got.aux.out, want.aux.out)).toBeLessThan(1e-5)
  for (const name of Object.keys(inputs) as (keyof typeof inputs)[]) {
    expect(await distance(got.gradients[name], want.gradients[name]), name).toBeLessThan(1e-5)
  }
})

test.each([false, true])('stacks of large matrices, one side transposed: %s', async (transposeB) => {
  const [a, b] = [draw('a', [3, 64, 20]), draw('b', transposeB ? [3, 48, 20] : [3, 20, 48])]
  const got = matmul(await toBackend(a, wasm), await toBackend(b, wasm), { transposeB })
  expect(await distance(got, matmul(a, b, { transposeB }))).toBeLessThan(1e-6)
})

test('every seventh order of six axes', async () => {
  const x = draw('six', [2, 3, 1, 4, 2, 3])
  const onWasm = await toBackend(x, wasm)
  for (const axes of orders([0, 1, 2, 3, 4, 5]).filter((_, i) => i % 7 === 1)) {
    const [got, want] = [permute(onWasm, axes), permute(x, axes)]
    expect(got.shape).toEqual(want.shape)
    expect(await got.data(), axes.join()).toEqual(Float32Array.from(await want.data()))
    got.dispose()
    want.dispose()
  }
})

function orders(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item) => orders(items.filter((other) => other !== item)).map((rest) => [item, ...rest]))
}
