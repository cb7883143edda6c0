import { reference, tensor, useBackend } from '@dit/tensor'
import { beforeAll, expect, test } from 'vitest'
import { type Component, densityAt, mixtureModel } from '../../src/figures/mixture.js'
import { distance, solve, wayOf } from '../../src/figures/solve.js'

const one: Component = { mean: [1, -2], deviation: 0.5, weight: 1, label: 0 }
const pair: readonly Component[] = [
  { mean: [-1, 0], deviation: 0.1, weight: 1, label: 0 },
  { mean: [1, 0], deviation: 0.1, weight: 3, label: 1 },
]
const { signal } = new AbortController()

beforeAll(() => useBackend(reference()))

async function estimate(mixture: readonly Component[], x: readonly number[], t: number, label: number) {
  const model = mixtureModel(mixture, -1, {})
  const answer = model(tensor(x, [1, 2, 1, 1]), Float32Array.of(t), Int32Array.of(label))
  return Array.from(await answer.data())
}

test('for one Gaussian the estimate is the textbook one', async () => {
  // alpha = sigma = 0.5; gain = alpha s^2 / (alpha^2 s^2 + sigma^2) = 0.125 / 0.3125 = 0.4
  const [x, y] = await estimate([one], [0.5, 0], 0.5, -1)
  expect(x).toBeCloseTo(1 + 0.4 * (0.5 - 0.5), 12)
  expect(y).toBeCloseTo(-2 + 0.4 * (0 + 1), 12)
})

test('in pure noise the estimate is the mean of all, by weight, or of the class', async () => {
  expect((await estimate(pair, [0.3, 0.2], 1, -1))[0]).toBeCloseTo(0.5, 12)
  expect((await estimate(pair, [0.3, 0.2], 1, 0))[0]).toBeCloseTo(-1, 12)
})

test('the density adds up to 1', () => {
  let sum = 0
  for (let x = -4; x < 4; x += 0.05)
    for (let y = -4; y < 4; y += 0.05) sum += densityAt(pair, x, y, { alpha: 1, sigma: 0.2 })
  expect(sum * 0.05 ** 2).toBeCloseTo(1, 6)
})

test('DDIM and Euler are the same step, and more steps come nearer to the exact flow', async () => {
  const question = { mixture: [one, ...pair], count: 12, seed: 1, interpolant: 'linear', signal } as const
  const end = async (solver: 'ddim' | 'euler' | 'heun' | 'exact', numSteps: number) =>
    (await solve({ ...question, solver, numSteps })).at(-1)!
  const exact = await end('exact', 40)
  const euler = await end('euler', 10)
  expect(distance(await end('ddim', 10), euler)).toBeLessThan(1e-9)
  const coarse = distance(euler, exact)
  expect(distance(await end('euler', 40), exact)).toBeLessThan(coarse / 2)
  expect(distance(await end('heun', 10), exact)).toBeLessThan(coarse)
})

test('guidance towards a class leaves the others', async () => {
  const states = await solve({
    mixture: pair,
    solver: 'heun',
    numSteps: 12,
    count: 50,
    seed: 0,
    interpolant: 'linear',
    label: 0,
    guidance: 3,
    signal,
  })
  expect(states).toHaveLength(13)
  const ends = states.at(-1)!.filter((_, i) => i % 2 === 0)
  expect(ends.every((x) => x < -0.7)).toBe(true)
  expect(wayOf(states, 3)).toHaveLength(26)
})

test('a question that is no longer asked stops', async () => {
  const controller = new AbortController()
  controller.abort()
  const question = { mixture: pair, solver: 'euler', numSteps: 5, count: 1, seed: 0, interpolant: 'linear' } as const
  await expect(solve({ ...question, signal: controller.signal })).rejects.toThrow(/abort/i)
})
