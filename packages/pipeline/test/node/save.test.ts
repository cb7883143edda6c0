import { dispose } from '@dit/tensor'
import { afterAll, expect, test } from 'vitest'
import { backend, expectEqualFromEveryForm } from '../support/every-form.js'
import { movedParams, PROCESSES, tinyNetwork as network } from '../support/tiny-models.js'

const params = movedParams(network, backend)
afterAll(() => dispose(params))

test.each(['a cosine schedule that predicts x0', 'a curved flow'] as const)(
  'a model of %s gives equal pictures from every file alone',
  async (name) => {
    await expectEqualFromEveryForm({ network, params, process: PROCESSES[name] })
  },
)

test('other processes give other pictures, so that a lost one would tell', async () => {
  const { openPipeline } = await import('@dit/pipeline/node')
  const bytes = new Set<string>()
  for (const process of Object.values(PROCESSES)) {
    const dit = await openPipeline({ network, params, process }, { backend })
    bytes.add(String((await dit.pictures({ steps: 2 })).map(({ data }) => data)))
  }
  expect(bytes.size).toBe(Object.keys(PROCESSES).length)
})
