import { mul, randomNormal, randomStream, reference, sum, tensor, useBackend, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import { patchEmbed } from '../src/patch-embed.js'

await useBackend(reference())

test('is a convolution with the patch as kernel and stride', async () => {
  const [B, C, H, W, P, D] = [2, 3, 4, 6, 2, 5]
  const x = randomNormal([B, C, H, W], randomStream(1, 'x'))
  const weight = randomNormal([D, C, P, P], randomStream(1, 'weight'))
  const bias = randomNormal([D], randomStream(1, 'bias'))
  const tokens = patchEmbed(x, weight, bias)
  expect(tokens.shape).toEqual([B, 6, D])

  const [xs, ws, bs] = await Promise.all([x.data(), weight.data(), bias.data()])
  const got = await tokens.data()
  for (let b = 0; b < B; b++) {
    for (let row = 0; row < H / P; row++) {
      for (let column = 0; column < W / P; column++) {
        for (let d = 0; d < D; d++) {
          let want = bs[d]
          for (let c = 0; c < C; c++) {
            for (let i = 0; i < P; i++) {
              for (let j = 0; j < P; j++) {
                want += xs[((b * C + c) * H + row * P + i) * W + column * P + j] * ws[((d * C + c) * P + i) * P + j]
              }
            }
          }
          expect(got[((b * H) / P + row) * (W / P) * D + column * D + d]).toBeCloseTo(want, 12)
        }
      }
    }
  }
})

test('works without a bias', async () => {
  const tokens = patchEmbed(tensor([1, 2, 3, 4], [1, 1, 2, 2]), tensor([1, 10, 100, 1000], [1, 1, 2, 2]), null)
  expect([...(await tokens.data())]).toEqual([4321])
})

test('has the gradient of central differences', async () => {
  const x = randomNormal([1, 2, 4, 2], randomStream(2, 'x'))
  const target = randomNormal([1, 2, 3], randomStream(2, 'target'))
  const values = await randomNormal([3, 2, 2, 2], randomStream(2, 'weight')).data()
  const loss = (w: ArrayLike<number>) => {
    const tokens = patchEmbed(x, tensor(w, [3, 2, 2, 2]), null)
    return sum(mul(mul(tokens, tokens), target))
  }
  const weight = tensor(values, [3, 2, 2, 2])
  const { gradients } = valueAndGrad({ weight }, ({ weight }) => {
    const tokens = patchEmbed(x, weight, null)
    return { loss: sum(mul(mul(tokens, tokens), target)) }
  })
  const got = await gradients.weight.data()
  const step = 1e-5 // float64: error of the quotient near step^2
  for (const i of [0, 7, 12, 23]) {
    const [above, below] = [step, -step].map((delta) => Float64Array.from(values, (w, j) => (j === i ? w + delta : w)))
    const [[high], [low]] = await Promise.all([loss(above).data(), loss(below).data()])
    expect(got[i]).toBeCloseTo((high - low) / (2 * step), 7)
  }
})

test('rejects a weight that does not fit', () => {
  const x = randomNormal([1, 2, 4, 4], randomStream(1))
  expect(() => patchEmbed(x, randomNormal([3, 4, 2, 2], randomStream(1)), null)).toThrow(
    new RangeError(
      'patchEmbed: weight must be [D, C, P, P] for x [B, C, H, W] (got x [1, 2, 4, 4], weight [3, 4, 2, 2])',
    ),
  )
  expect(() => patchEmbed(x, randomNormal([3, 2, 2, 4], randomStream(1)), null)).toThrow('weight [3, 2, 2, 4]')
  expect(() => patchEmbed(x, randomNormal([3, 2, 3, 3], randomStream(1)), null)).toThrow(
    'height 4 is not a multiple of patchSize 3',
  )
})
