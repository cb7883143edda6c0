import { attention, randomNormal, randomStream, scope, mean, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import { nullBackend } from './drivers.js'

/** Bytes that attention and its gradient take at most beside their input, with 6 heads of width 64. */
async function peakBytes(N: number): Promise<number> {
  const backend = await nullBackend()
  const qkv = randomNormal([1, N, 3 * 384], randomStream(0, 'qkv'), { backend })
  scope(() => valueAndGrad({ qkv }, (p) => ({ loss: mean(attention(p.qkv, 6)) })))
  const { peakBytes } = backend.memory()
  await backend.dispose()
  return peakBytes - qkv.byteLength
}

test('the memory of attention grows linearly with the tokens', async () => {
  const [few, more, many] = [await peakBytes(256), await peakBytes(1024), await peakBytes(4096)]
  // Within the few scalars that do not grow.
  expect(more / few).toBeCloseTo(4, 2)
  expect(many / more).toBeCloseTo(4, 2)
})
