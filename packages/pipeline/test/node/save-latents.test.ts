import { fileURLToPath } from 'node:url'
import { openModel } from '@dit/pipeline/node'
import { dispose } from '@dit/tensor'
import { afterAll, expect, test } from 'vitest'
import { backend, expectEqualFromEveryForm } from '../support/every-form.js'
import { latentNetwork as network, movedParams } from '../support/tiny-models.js'

/** A tiny autoencoder of 4 channels, as diffusers saves one. Its own factor is another than those below. */
const autoencoder = fileURLToPath(new URL('../../../../test/fixtures/pipeline/vae', import.meta.url))

const params = movedParams(network, backend)
afterAll(() => dispose(params))

test("latents keep their scaling, a factor a channel, in every file: it goes before the autoencoder's", async () => {
  const latents = { scale: 0.7, mean: [0.1, -0.2, 0.3, 0], deviation: [1, 2, 0.5, 1.5] }
  const [picture] = await expectEqualFromEveryForm({ network, params, process: {}, latents }, { autoencoder })
  expect(picture.width).toBe(8)
})

test('a model in memory takes an autoencoder with its scaling, and no option that is for weights', async () => {
  const model = await openModel({ network, params, process: {} }, { autoencoder })
  expect(model.autoencoder).not.toBeNull()
  expect(model.description.latents).toEqual({ scale: 0.18215, mean: 0 })
  await expect(openModel({ network, params, process: {}, name: 'mine' }, { heads: 2 })).rejects.toThrow(
    'heads is for weights; mine is in memory, with all that is known of it',
  )
})
