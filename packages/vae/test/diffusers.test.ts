import { cpu } from '@dit/backend-cpu'
import { zeros } from '@dit/tensor'
import { decode, decodeTiled } from '@dit/vae'
import { expect, test } from 'vitest'
import { testLikeDiffusers } from './diffusers.js'
import { openCase } from './fixtures.js'

testLikeDiffusers(await cpu({ engine: 'wasm', threads: 1 }))

test('tiles bound the memory: beside its image, a tall one needs what a small one does', async () => {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const { config, params } = await openCase('tiled', backend)
  const peakOf = (height: number, run: typeof decode) => {
    const z = zeros([1, 4, height, 8], { backend })
    const start = backend.memory().bytes
    run(config, params, z).dispose()
    z.dispose()
    return backend.memory().peakBytes - start
  }
  const small = peakOf(8, decodeTiled)
  const image = 4 * 3 * 800 * 16
  // The image is there twice while its strips are joined, and tiles above wait to be blended.
  const tall = peakOf(400, decodeTiled)
  expect(tall).toBeLessThan(2 * small + 2 * image)
  expect(peakOf(400, decode)).toBeGreaterThan(2 * tall)
})
