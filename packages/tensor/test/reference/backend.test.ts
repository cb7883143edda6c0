import { full, reference, tensor, zeros } from '@dit/tensor'
import { expect, test } from 'vitest'

test('counts buffers and bytes, and remembers the peak', () => {
  const backend = reference()
  const [x, y] = [zeros([4], { backend }), full([3], 1, { backend, dtype: 'i32' })]
  expect(backend.memory()).toEqual({ buffers: 2, bytes: 44, peakBytes: 44 })
  x.dispose()
  y.dispose()
  expect(backend.memory()).toEqual({ buffers: 0, bytes: 0, peakBytes: 44 })
})

test('freeing a buffer twice, or one of another backend, is an error', () => {
  const [backend, other] = [reference(), reference()]
  const buffer = backend.allocate(8)
  expect(() => other.free(buffer)).toThrow('reference: buffer was freed before, or is not of this backend')
  backend.free(buffer)
  expect(() => backend.free(buffer)).toThrow('reference: buffer was freed before')
})

test('downloads are copies', async () => {
  const backend = reference()
  const x = tensor([1], [1], { backend })
  const data = await x.data()
  data[0] = 2
  expect([...(await x.data())]).toEqual([1])
})
