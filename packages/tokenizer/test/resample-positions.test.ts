import { mul, randomNormal, randomStream, reference, sum, tensor, useBackend, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import { type ResampleMethod, resamplePositions } from '../src/resample-positions.js'

const backend = await useBackend(reference())
const METHODS: readonly ResampleMethod[] = ['bicubic', 'bilinear']

test('reads a line between its two ends', async () => {
  // centres of four patches over two: -1/4, 1/4, 3/4, 5/4, held at the border
  const table = resamplePositions(tensor([0, 1], [2, 1]), [1, 2], [1, 4], { method: 'bilinear' })
  expect([...(await table.data())]).toEqual([0, 0.25, 0.75, 1])
})

test('averages over the patches of a coarser grid', async () => {
  // triangle of half-width 2 around 1/2, over four places: weights 3/8, 3/8, 1/8 and, cut off, renormalised by 7/8
  const table = resamplePositions(tensor([7, 0, 0, 0], [4, 1]), [4, 1], [2, 1], { method: 'bilinear' })
  const [first, second] = await table.data()
  expect(first).toBeCloseTo(3, 12)
  expect(second).toBeCloseTo(0, 12)
})

test('follows a parabola exactly between inner places with the cubic kernel', async () => {
  const old = Float64Array.from({ length: 8 }, (_, x) => x ** 2)
  const values = await resamplePositions(tensor(old, [8, 1]), [8, 1], [16, 1]).data()
  for (let i = 4; i < 12; i++) expect(values[i]).toBeCloseTo(((i + 0.5) / 2 - 0.5) ** 2, 10)
})

test.each(METHODS)('leaves a table as it is on its own grid (%s)', async (method) => {
  const table = randomNormal([1, 6, 4], randomStream(1))
  const same = resamplePositions(table, [2, 3], [2, 3], { method })
  expect(same.shape).toEqual([1, 6, 4])
  expect(await same.data()).toEqual(await table.data())
})

test.each(METHODS)('keeps a constant table constant (%s)', async (method) => {
  const table = tensor(new Float64Array(12).fill(3), [6, 2])
  const other = await resamplePositions(table, [2, 3], [5, 2], { method }).data()
  expect(other.length).toBe(20)
  for (const value of other) expect(value).toBeCloseTo(3, 12)
})

test.each(METHODS)('treats rows and columns alike (%s)', async (method) => {
  const old = [1, 5, 2, 8]
  const down = await resamplePositions(tensor(old, [4, 1]), [4, 1], [6, 1], { method }).data()
  const across = await resamplePositions(tensor(old, [4, 1]), [1, 4], [1, 6], { method }).data()
  expect([...across]).toEqual([...down])
  // a table that is a column pattern repeated over rows stays one
  const both = await resamplePositions(tensor([...old, ...old], [8, 1]), [2, 4], [3, 6], { method }).data()
  for (let i = 0; i < 18; i++) expect(both[i]).toBeCloseTo(down[i % 6], 12)
})

test('is linear, so that its gradient is its transpose', async () => {
  const table = randomNormal([6, 2], randomStream(1, 'table'))
  const weights = randomNormal([20, 2], randomStream(1, 'weights'))
  const { loss, gradients } = valueAndGrad({ table }, ({ table }) => ({
    loss: sum(mul(resamplePositions(table, [2, 3], [5, 4]), weights)),
  }))
  const [value] = await loss.data()
  const [dot] = await sum(mul(gradients.table, table)).data()
  expect(dot).toBeCloseTo(value, 12)
})

test('frees everything but the result', () => {
  const table = randomNormal([6, 2], randomStream(1))
  const before = backend.memory().buffers
  const other = resamplePositions(table, [2, 3], [4, 4])
  expect(backend.memory().buffers).toBe(before + 1)
  other.dispose()
})

test('rejects a table that does not fill its grid', () => {
  const table = randomNormal([6, 2], randomStream(1))
  expect(() => resamplePositions(table, [2, 2], [4, 4])).toThrow(
    new RangeError('resamplePositions: table must be [4, D] for grid [2, 2] (got [6, 2])'),
  )
  expect(() => resamplePositions(table, [2, 3], [4, 0])).toThrow('columns of toGrid must be a positive integer (got 0)')
  expect(() => resamplePositions(table, [2, 3], [4, 4], { method: 'nearest' as ResampleMethod })).toThrow(
    'method must be bicubic or bilinear (got nearest)',
  )
})
