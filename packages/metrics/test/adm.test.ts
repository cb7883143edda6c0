import { readNpz, writeNpz } from '@dit/checkpoint'
import { expect, test } from 'vitest'
import { admArrays, readAdmStatistics } from '../src/adm.js'
import { featureStatistics } from '../src/moments.js'
import { randomFeatures } from './random-features.js'

const pooled = featureStatistics(randomFeatures(12, 3))
const spatial = featureStatistics(randomFeatures(12, 5))

test('statistics survive a file of the ADM suite, but for the count', async () => {
  const bytes = writeNpz(admArrays({ pooled, spatial }))
  const file = await readNpz(bytes)
  expect([...file.keys()]).toEqual(['mu', 'sigma', 'mu_s', 'sigma_s'])
  expect(file.get('sigma_s')!.shape).toEqual([5, 5])
  expect(readAdmStatistics(file)).toEqual({
    pooled: { ...pooled, count: null },
    spatial: { ...spatial, count: null },
  })
  expect(readAdmStatistics(file, { count: 12 }).pooled).toEqual(pooled)
})

test('a file of pytorch-fid has no spatial statistics; float32 becomes float64; pictures beside them are no matter', async () => {
  const file = await readNpz(
    writeNpz({
      arr_0: { dtype: 'U8', shape: [1], data: Uint8Array.of(7) },
      mu: { dtype: 'F32', shape: [1], data: Float32Array.of(0.1) },
      sigma: { dtype: 'F32', shape: [1, 1], data: Float32Array.of(2) },
    }),
  )
  expect(readAdmStatistics(file)).toEqual({
    pooled: { count: null, mean: Float64Array.of(Math.fround(0.1)), covariance: Float64Array.of(2) },
    spatial: null,
  })
})

test('refuses missing arrays, shapes that do not belong together, and other types', async () => {
  const read = async (arrays: Parameters<typeof writeNpz>[0]) => readAdmStatistics(await readNpz(writeNpz(arrays)))
  const { mu, sigma, mu_s } = admArrays({ pooled, spatial })
  await expect(read({ mu })).rejects.toThrow('readAdmStatistics: there must be arrays mu and sigma; the file has mu')
  await expect(read({ mu, sigma, mu_s })).rejects.toThrow('there must be arrays mu_s and sigma_s')
  await expect(read({ mu: mu_s, sigma })).rejects.toThrow(
    'mu [D] and sigma [D, D] must belong together; they have shapes [5] and [3, 3]',
  )
  const bytes = { dtype: 'U8', shape: [3], data: new Uint8Array(3) } as const
  await expect(read({ mu: bytes, sigma })).rejects.toThrow('readAdmStatistics: mu must be float32 or float64')
  const other = { ...pooled, mean: new Float64Array(2) }
  expect(() => admArrays({ pooled: other, spatial: null })).toThrow('admArrays: the covariance of mu, sigma must have')
})
