import { flowPath } from '@dit/schedules'
import { denoiser } from '@dit/diffusion'
import { dispose, mul, tanh, tensor, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { logLikelihood, type LogLikelihoodOptions } from '../../src/index.js'
import { backend, normalData } from './normal-data.js'

const x0 = tensor([0.3, -0.4, 1, 0.1], [2, 1, 1, 2], { backend })
const up = flowPath({ numSteps: 1, from: 0, to: 1 })
const logNormal = (values: number[], variance: number) =>
  values.reduce((sum, x) => sum - Math.log(2 * Math.PI * variance) / 2 - (x * x) / (2 * variance), 0)

test('is the density of normal data, whose divergence needs no luck', async () => {
  for (const interpolant of ['linear', 'gvp'] as const) {
    const path = flowPath({ interpolant, numSteps: 1, from: 0, to: 1 })
    const found = await logLikelihood(path, normalData(0.25), x0, {
      solver: { rtol: 1e-7, atol: 1e-8 },
      seed: 1,
    })
    const nats = [...(await found.logLikelihood.data())]
    expect(nats[0]).toBeCloseTo(logNormal([0.3, -0.4], 0.25), 5)
    expect(nats[1]).toBeCloseTo(logNormal([1, 0.1], 0.25), 5)
    const z = [...(await found.z.data())]
    expect(z[0]).toBeCloseTo(0.6, 5)
    expect([...(await found.prior.data())][0]).toBeCloseTo(logNormal(z.slice(0, 2), 1), 12)
  }
})

test('one step of Euler by hand: the divergence of x^2 is 2 x', async () => {
  const squared = denoiser((xt) => mul(xt, xt), { prediction: 'velocity' })
  const found = await logLikelihood(up, squared, x0, { solver: { method: 'euler' }, seed: 0 })
  const z = [0.3 + 0.09, -0.4 + 0.16, 1 + 1, 0.1 + 0.01]
  ;[...(await found.z.data())].forEach((value, i) => expect(value).toBeCloseTo(z[i], 14))
  const nats = [...(await found.logLikelihood.data())]
  expect(nats[0]).toBeCloseTo(logNormal(z.slice(0, 2), 1) + 2 * (0.3 - 0.4), 13)
  expect(nats[1]).toBeCloseTo(logNormal(z.slice(2), 1) + 2 * (1 + 0.1), 13)
})

test('draws signs anew for every evaluation, of its own samples', async () => {
  const seen: (readonly [number, string])[] = []
  const signs = (evaluation: number, shape: readonly number[]) => {
    seen.push([evaluation, shape.join()])
    return tensor([1, -1, 1, 1], [2, 1, 1, 2], { backend })
  }
  dispose(await logLikelihood(up, normalData(1), x0, { solver: { method: 'heun2' }, signs }))
  expect(seen).toEqual([
    [0, '2,1,1,2'],
    [1, '2,1,1,2'],
  ])
})

test('does not depend on how samples are cut into batches', async () => {
  const mixing = denoiser((xt) => tanh(mul(xt, tensor([2, -1], [1, 1, 1, 2], { backend }))), { prediction: 'velocity' })
  const second = tensor([1, 0.1], [1, 1, 1, 2], { backend })
  const options = (firstSample: number): LogLikelihoodOptions => ({ solver: { method: 'heun3' }, seed: 5, firstSample })
  const whole = await logLikelihood(up, mixing, x0, options(0))
  const part = await logLikelihood(up, mixing, second, options(1))
  expect((await part.logLikelihood.data())[0]).toBe((await whole.logLikelihood.data())[1])
})

test('leaves only its results behind', async () => {
  const before = backend.memory().buffers
  const found = await logLikelihood(up, normalData(0.25), x0, { seed: 0 })
  expect(backend.memory().buffers).toBe(before + 3)
  dispose(found)
  const broken = () => {
    throw new Error('no network')
  }
  await expect(logLikelihood(up, broken, x0, { seed: 0 })).rejects.toThrow('no network')
  expect(backend.memory().buffers).toBe(before)
})

test('refuses a path to the data, two sources of signs or none, and signs that do not fit', async () => {
  const run = (options: object, path = up) => logLikelihood(path, normalData(1), x0, options as LogLikelihoodOptions)
  await expect(run({ seed: 0 }, flowPath({ numSteps: 1 }))).rejects.toThrow(
    'logLikelihood: the path must run from data to noise (got 1 to 0)',
  )
  await expect(run({})).rejects.toThrow('logLikelihood: a seed or a function for the signs is needed (got neither)')
  await expect(run({ seed: 0, signs: () => x0 })).rejects.toThrow(
    'give either a seed or a function for the signs (got both)',
  )
  await expect(run({ seed: 0, firstSample: -1 })).rejects.toThrow('firstSample must be a non-negative integer (got -1)')
  const one = (): Tensor => tensor([1], [1, 1, 1, 1], { backend })
  await expect(run({ signs: one })).rejects.toThrow('logLikelihood: signs must have the shape of x0 (got [1, 1, 1, 1]')
})
