import { affine, concat, randomNormal, randomStream, tensor, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend } from '../../diffusion/test/tensors.js'
import { guided, guidedByConditions } from '../src/index.js'

const x = tensor([1, -2], [1, 2, 1, 1])
const at = Int32Array.of(5)
const FACTORS: Readonly<Record<string, number>> = { none: 1, caption: 3, pose: -1 }

/** Multiplies by the factor of what it is told; the second half, a variance, holds another number for each. */
const model =
  (runs: (string | null)[] = []) =>
  (xt: Tensor, _: unknown, told: string | null) => {
    runs.push(told)
    const factor = FACTORS[told ?? 'none']
    return concat([affine(xt, factor), affine(xt, 0, 10 * factor)], 1)
  }

test('adds up what each condition changes, by its scale', async () => {
  const runs: (string | null)[] = []
  const output = guidedByConditions(model(runs), { scales: { caption: 4, pose: 0.5 } })(x, at)
  // 1 + 4 (3 - 1) + 0.5 (-1 - 1) = 8; the variance is that of the first, the caption
  expect(await output.data()).toEqual(Float64Array.of(8, -16, 30, 30))
  expect(runs).toEqual(['caption', 'pose', null])
})

test('does not depend on the order of conditions, but for the variance', async () => {
  const output = guidedByConditions(model(), { scales: { pose: 0.5, caption: 4 } })(x, at)
  expect(await output.data()).toEqual(Float64Array.of(8, -16, -10, -10))
})

test.each<[Readonly<Record<string, number>>, (string | null)[], number]>([
  [{ caption: 1 }, ['caption'], 3],
  [{ caption: 0, pose: 0 }, [null], 1],
  [{}, [null], 1],
  [{ caption: 0.5, pose: 0.5 }, ['caption', 'pose'], 1],
  [{ caption: 0, pose: 2 }, ['pose', null], -3],
])('runs the model no more often than %j needs', async (scales, wanted, factor) => {
  const runs: (string | null)[] = []
  const [first] = await guidedByConditions(model(runs), { scales })(x, at).data()
  expect(runs).toEqual(wanted)
  expect(first).toBe(factor)
})

test('with one condition it is classifier-free guidance on all channels', async () => {
  const xt = randomNormal([2, 4, 2, 2], randomStream(1), { backend })
  const scaled = (sample: Tensor, factor: number) => affine(sample, factor, factor)
  const both = Int32Array.of(5, 5)
  const want = guided(
    (all, _, labels) =>
      labels.length === 2
        ? scaled(all, 3)
        : concat(
            [0, 1].map((half) => scaled(randomNormal([2, 4, 2, 2], randomStream(1), { backend }), half === 0 ? 3 : 1)),
            0,
          ),
    { labels: [0, 0], nullLabel: 1, scale: 2.5, channels: 'all' },
  )(xt, both)
  const got = guidedByConditions((all, _, told) => scaled(all, told === null ? 1 : 3), { scales: { kind: 2.5 } })(
    xt,
    both,
  )
  const wanted = await want.data()
  // float64, another order of the same sum
  for (const [i, value] of (await got.data()).entries()) expect(value).toBeCloseTo(wanted[i], 12)
})

test('leaves nothing behind but its output, and refuses a scale that is no number', () => {
  const before = backend.memory().buffers
  const output = guidedByConditions(model(), { scales: { caption: 4, pose: 0.5 } })(x, at)
  expect(backend.memory().buffers).toBe(before + 1)
  output.dispose()
  expect(() => guidedByConditions(model(), { scales: { pose: NaN } })).toThrow(
    'guidedByConditions: pose: scale must be a finite number (got NaN)',
  )
})
