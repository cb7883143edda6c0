import { mul, reference, sum, tensor, useBackend, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import { dropLabels, labelEmbedding } from '../src/index.js'
import { readFixture } from './fixture.js'

const backend = await useBackend(reference())

test('takes one row per label', async () => {
  const table = tensor([0, 1, 10, 11, 20, 21], [3, 2])
  const before = backend.memory().buffers
  const rows = labelEmbedding([2, 0, 2], table)
  expect(backend.memory().buffers).toBe(before + 1)
  expect(rows.shape).toEqual([3, 2])
  expect([...(await rows.data())]).toEqual([20, 21, 0, 1, 20, 21])
})

test('adds up the gradients of a label that comes twice', async () => {
  const table = tensor([0, 0, 0], [3, 1])
  const weights = tensor([1, 2, 4], [3, 1])
  const { gradients } = valueAndGrad({ table }, ({ table }) => ({
    loss: sum(mul(labelEmbedding([2, 0, 2], table), weights)),
  }))
  expect([...(await gradients.table.data())]).toEqual([2, 0, 5])
})

test('agrees with the reference implementation, with and without dropped labels', async () => {
  const fixture = readFixture('labels')
  const table = tensor(fixture.get('in.table')!, [7, 5])
  const labels = fixture.get('in.y')!
  const options = { nullLabel: 6, probability: 0.25 }
  const cases = {
    eval: dropLabels(labels, options),
    train: dropLabels(labels, { ...options, uniforms: fixture.get('in.u')! }),
    force: dropLabels(labels, { ...options, uniforms: fixture.get('in.u')!, force: fixture.get('in.force_drop_ids')! }),
    force_eval: dropLabels(labels, { ...options, force: fixture.get('in.force_drop_ids')! }),
  }
  for (const [name, dropped] of Object.entries(cases)) {
    const got = Float32Array.from(await labelEmbedding(dropped, table).data())
    expect(got, name).toEqual(fixture.get(`out.${name}`)) // rows are copied, so nothing is rounded
  }
})

test('rejects labels without a row', () => {
  const table = tensor([0, 1, 2], [3, 1])
  expect(() => labelEmbedding([0, 3], table)).toThrow(
    new RangeError('labelEmbedding: labels must be integers in 0..2 (labels[1] is 3)'),
  )
  expect(() => labelEmbedding([-1], table)).toThrow('labels[0] is -1')
  expect(() => labelEmbedding([0.5], table)).toThrow('labels[0] is 0.5')
  expect(() => labelEmbedding([0], tensor([1]))).toThrow('labelEmbedding: table must be [R, D] (got [1])')
})
