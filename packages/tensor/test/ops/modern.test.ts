import { attention, chunk, crossAttention, qkNormRope, rmsNorm, rmsNormModulate, swiglu, tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 14))

test('swiglu by hand: the first half is the gate', async () => {
  const x = tensor([0, Math.log(3), 5, 2], [1, 4], { backend })
  // sigmoid(ln 3) = 3/4
  expect(await numbers(swiglu(x))).toEqual(close([0, Math.log(3) * 0.75 * 2]))
})

test('rmsNorm by hand: nothing is subtracted, epsilon stands inside the root', async () => {
  // The mean of the squares is 12.5.
  const x = tensor([3, 4], [1, 1, 2], { backend })
  expect(await numbers(rmsNorm(x, 3.5))).toEqual(close([0.75, 1]))
  const vectors = { shift: tensor([10, 20], [1, 2], { backend }), scale: tensor([1, -1], [1, 2], { backend }) }
  const weight = tensor([2, 3], [2], { backend })
  expect(await numbers(rmsNormModulate(x, weight, {}, 3.5))).toEqual(close([1.5, 3]))
  expect(await numbers(rmsNormModulate(x, weight, vectors, 3.5))).toEqual(close([13, 20]))
})

test('qkNormRope by hand: pairs of neighbours turn, values stay', async () => {
  const qkv = tensor([1, 2, 3, 4, 5, 6], [1, 1, 6], { backend })
  const quarter = { cos: tensor([0, 0], [1, 2], { backend }), sin: tensor([1, 1], [1, 2], { backend }) }
  expect(await numbers(qkNormRope(qkv, 1, { norm: null, rotation: quarter }))).toEqual([-2, 1, -4, 3, 5, 6])
  const weights = { q: tensor([1, 2], [2], { backend }), k: tensor([-1, 1], [2], { backend }) }
  const norm = { ...weights, epsilon: 0 }
  const [q, k] = [Math.sqrt(2.5), Math.sqrt(12.5)]
  expect(await numbers(qkNormRope(qkv, 1, { norm, rotation: null }))).toEqual(
    close([1 / q, 4 / q, -3 / k, 4 / k, 5, 6]),
  )
  expect(await numbers(qkNormRope(qkv, 1, { norm, rotation: quarter }))).toEqual(
    close([-4 / q, 1 / q, -4 / k, -3 / k, 5, 6]),
  )
})

test('without a norm and a rotation nothing changes', async () => {
  const qkv = draw('qkv', [2, 3, 6])
  expect(await numbers(qkNormRope(qkv, 1, { norm: null, rotation: null }))).toEqual(await numbers(qkv))
})

test('crossAttention is attention where tokens ask themselves', async () => {
  const qkv = draw('qkv', [2, 5, 24])
  const [q, k, v] = chunk(qkv, 3)
  const [own, crossed] = [attention(qkv, 2), crossAttention(q, k, v, 2)]
  expect(await numbers(crossed)).toEqual((await numbers(own)).map((value) => expect.closeTo(value, 12)))
})

test('crossAttention does not see what lies behind the lengths, whatever it is', async () => {
  const [q, k, v] = [draw('q', [2, 3, 4]), await draw('k', [2, 3, 4]).data(), await draw('v', [2, 3, 4]).data()]
  const lengths = tensor([1, 2], [2], { backend, dtype: 'i32' })
  const behind = (values: ArrayLike<number>, what: number) =>
    tensor(
      Array.from(values, (value, i) => (i % 12 >= (i < 12 ? 4 : 8) ? what : value)),
      [2, 3, 4],
      { backend },
    )
  const run = (what: number) => numbers(crossAttention(q, behind(k, what), behind(v, what), 2, { lengths }))
  expect(await run(Infinity)).toEqual(await run(0))
  const [first] = [await run(NaN)]
  // One key takes all.
  expect(first.slice(0, 4)).toEqual(Array.from(v.slice(0, 4), (value) => expect.closeTo(value, 14)))
})

test('gradients', async () => {
  await checkGradients({ x: draw('x', [2, 3, 6]) }, ({ x }) => swiglu(x))
  const inputs = { x: draw('x', [2, 3, 5]), weight: draw('weight', [5]) }
  const vectors = { shift: draw('shift', [2, 5]), scale: draw('scale', [2, 5]) }
  await checkGradients(inputs, ({ x, weight }) => rmsNormModulate(x, weight, {}, 1e-2))
  await checkGradients({ ...inputs, ...vectors }, ({ x, weight, shift, scale }) =>
    rmsNormModulate(x, weight, { shift, scale }, 1e-2),
  )
  const rotation = { cos: draw('cos', [3, 4]), sin: draw('sin', [3, 4]) }
  const heads = { qkv: draw('qkv', [2, 3, 24]), q: draw('q', [4]), k: draw('k', [4]) }
  await checkGradients(heads, ({ qkv, q, k }) => qkNormRope(qkv, 2, { norm: { q, k, epsilon: 1e-2 }, rotation }))
  const asked = { q: draw('q', [2, 3, 4]), k: draw('k', [2, 5, 4]), v: draw('v', [2, 5, 4]) }
  await checkGradients(asked, ({ q, k, v }) => crossAttention(q, k, v, 2))
  const lengths = tensor([2, 5], [2], { backend, dtype: 'i32' })
  await checkGradients(asked, ({ q, k, v }) => crossAttention(q, k, v, 2, { lengths }))
  await checkGradients({ qkv: heads.qkv }, ({ qkv }) => qkNormRope(qkv, 2, { norm: null, rotation }))
})

test('errors', () => {
  expect(() => swiglu(draw('x', [2, 5]))).toThrow(new RangeError('swiglu: x must be [..., 2 H] (got [2, 5])'))
  expect(() => rmsNormModulate(draw('x', [2, 3, 5]), draw('w', [4]), {}, 1e-6)).toThrow(
    new RangeError('rmsNormModulate: x must be [B, N, D], weight [D], shift and scale [B, D] (got [2, 3, 5], [4])'),
  )
  const qkv = draw('qkv', [1, 2, 18])
  const tables = (shape: readonly number[]) => ({ cos: draw('cos', shape), sin: draw('sin', shape) })
  expect(() => qkNormRope(qkv, 4, { norm: null, rotation: null })).toThrow(
    new RangeError('qkNormRope: qkv must be [B, N, 3 * 4 * headDim] (got [1, 2, 18])'),
  )
  const claim = 'qkNormRope: scales must be [headDim], cos and sin [N, headDim] for an even headDim, here'
  expect(() => qkNormRope(qkv, 2, { norm: null, rotation: tables([2, 3]) })).toThrow(
    new RangeError(`${claim} 3 (got [1, 2, 18], [2, 3], [2, 3])`),
  )
  expect(() => qkNormRope(qkv, 1, { norm: null, rotation: tables([3, 6]) })).toThrow(
    new RangeError(`${claim} 6 (got [1, 2, 18], [3, 6], [3, 6])`),
  )
  const norm = { q: draw('q', [6]), k: draw('k', [3]), epsilon: 1e-6 }
  expect(() => qkNormRope(qkv, 1, { norm, rotation: null })).toThrow(
    new RangeError(`${claim} 6 (got [1, 2, 18], [6], [3])`),
  )
  const [q, k] = [draw('q', [2, 3, 4]), draw('k', [2, 5, 4])]
  const heads = (count: number) =>
    `crossAttention: q must be [B, N, D], k and v [B, M, D], lengths i32 [B], and D must split into ${count} heads`
  expect(() => crossAttention(q, k, draw('v', [2, 4, 4]), 2)).toThrow(
    new RangeError(`${heads(2)} (got [2, 3, 4], [2, 5, 4], [2, 4, 4])`),
  )
  expect(() => crossAttention(q, k, k, 3)).toThrow(new RangeError(`${heads(3)} (got [2, 3, 4], [2, 5, 4], [2, 5, 4])`))
  expect(() => crossAttention(q, k, k, 2, { lengths: draw('l', [2]) })).toThrow(
    new RangeError(`${heads(2)} (got [2, 3, 4], [2, 5, 4], [2, 5, 4], [2])`),
  )
})
