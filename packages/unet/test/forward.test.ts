import { mul, type Params, randomNormal, randomStream, scope, sum, tensor, valueAndGrad } from '@dit/tensor'
import { expect, test } from 'vitest'
import { unetForward } from '../src/index.js'
import { backend, inputs, randomParams, TINY } from './tiny.js'

const constant = randomNormal([2, 1, 4, 8], randomStream(3, 'constant'), { backend })
const lossOf = (params: Params, recompute: 'none' | 'block' | number = 'none') =>
  sum(mul(unetForward(TINY, params, inputs, { recompute }), constant))

test('has the gradients of central differences, parameter by parameter', async () => {
  const params = randomParams()
  const { gradients } = valueAndGrad(params, (given) => ({ loss: lossOf(given) }))
  const lossAt = async (given: Params) => (await scope(() => lossOf(given)).data())[0]
  const step = 1e-5
  for (const [name, parameter] of Object.entries(params)) {
    const got = await gradients[name].data()
    const values = await parameter.data()
    const i = got.length >> 1
    const [high, low] = await Promise.all(
      [step, -step].map((delta) => {
        const moved = tensor(
          values.map((value, at) => (at === i ? value + delta : value)),
          parameter.shape,
          { backend },
        )
        return lossAt({ ...params, [name]: moved })
      }),
    )
    const want = (high - low) / (2 * step)
    // float64: the rounding of a loss of tens over 1e-5, and the cubic term.
    expect(Math.abs(got[i] - want), name).toBeLessThan(2e-6 * (1 + Math.abs(want)))
  }
})

test('recomputing some stages, or all, gives the same loss and, but for the order of sums, gradients', async () => {
  const params = randomParams()
  const numbers = async (recompute: 'none' | 'block' | number) => {
    const { loss, gradients } = valueAndGrad(params, (given) => ({ loss: lossOf(given, recompute) }))
    const all = await Promise.all(Object.values(gradients).map((gradient) => gradient.data()))
    return { loss: [...(await loss.data())], gradients: all.flatMap((values) => [...values]) }
  }
  const plain = await numbers('none')
  const largest = Math.max(...plain.gradients.map(Math.abs))
  for (const recompute of ['block', 3] as const) {
    const again = await numbers(recompute)
    expect(again.loss).toEqual(plain.loss)
    // float64; what all stages share sums its gradients stage by stage instead of layer by layer.
    const furthest = Math.max(...again.gradients.map((value, i) => Math.abs(value - plain.gradients[i])))
    expect(furthest).toBeLessThan(1e-12 * largest)
  }
})

test('a picture does not see the others of its batch', async () => {
  const params = randomParams()
  const xt = tensor((await inputs.xt.data()).slice(32), [1, 1, 4, 8], { backend })
  const alone = scope(() => unetForward(TINY, params, { xt, timesteps: [700.5], labels: [3] }))
  const together = scope(() => unetForward(TINY, params, inputs))
  expect([...(await alone.data())]).toEqual([...(await together.data())].slice(32))
})

test('leaves nothing behind', () => {
  const params = randomParams()
  const before = backend.memory().buffers
  unetForward(TINY, params, inputs).dispose()
  expect(backend.memory().buffers).toBe(before)
})

test('inputs that do not fit are named', () => {
  const params = randomParams()
  const { xt } = inputs
  expect(() => unetForward(TINY, params, { xt, timesteps: [1], labels: [0, 0] })).toThrow(
    'unet: xt must be [2, 1, 4, 8] with as many timesteps and labels (got [2, 1, 4, 8], 1 and 2)',
  )
  const square = tensor(new Float64Array(32), [2, 1, 4, 4], { backend })
  expect(() => unetForward(TINY, params, { xt: square, timesteps: [1, 1], labels: [0, 0] })).toThrow(
    'unet: xt must be [2, 1, 4, 8]',
  )
  expect(() => unetForward(TINY, params, { xt, timesteps: [1, 1], labels: [0, 4] })).toThrow(/label/)
})
