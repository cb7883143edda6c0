import { fileURLToPath } from 'node:url'
import { dispose } from '@dit/tensor'
import { afterAll, test } from 'vitest'
import { backend, expectEqualFromEveryForm } from '../support/every-form.js'
import { latentNetwork, movedParams, PROCESSES, tinyNetwork as network } from '../support/tiny-models.js'

const params = movedParams(network, backend)
afterAll(() => dispose(params))

test.each(Object.entries(PROCESSES))('a model of %s gives equal pictures from every file alone', async (_, process) => {
  await expectEqualFromEveryForm({ network, params, process })
})

test('latents with one factor give equal pictures from every file', async () => {
  const autoencoder = fileURLToPath(new URL('../../../../test/fixtures/pipeline/vae', import.meta.url))
  const own = movedParams(latentNetwork, backend)
  const source = { network: latentNetwork, params: own, process: {}, latents: { scale: 0.5, mean: 0.1 } }
  await expectEqualFromEveryForm(source, { autoencoder })
  dispose(own)
})
