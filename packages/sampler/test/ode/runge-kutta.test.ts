import { type Denoise, denoiser } from '@dit/diffusion'
import { diffusionTables, flowPath, type Interpolant, levelAtSnr, namedBetas, pathThrough } from '@dit/schedules'
import { affine, tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { lastStep, rungeKutta, type RungeKuttaMethod } from '../../src/index.js'
import { backend, normalData, stretch } from './normal-data.js'

const xT = tensor([1, -2], [1, 1, 1, 2], { backend })
const orders: readonly (readonly [RungeKuttaMethod, number])[] = [
  ['euler', 1],
  ['midpoint', 2],
  ['heun2', 2],
  ['ralston2', 2],
  ['heun3', 3],
  ['threeEighths4', 4],
  ['classic4', 4],
]

const endOf = async (method: RungeKuttaMethod, numSteps: number, interpolant: Interpolant = 'gvp') => {
  const path = flowPath({ interpolant, numSteps, from: 0.9, to: 0.1 })
  const last = await lastStep(rungeKutta(path, normalData(0.25), xT, { method }))
  const [value] = await last.data()
  last.dispose()
  return value
}

describe.each(orders)('%s', (method, order) => {
  test(`has order ${order}: half the step, ${2 ** order} times less error`, async () => {
    const exact = stretch(0.25, 0.9, 0.1, { interpolant: 'gvp' })
    const [coarse, fine] = [await endOf(method, 24), await endOf(method, 48)]
    expect(Math.log2((coarse - exact) / (fine - exact))).toBeCloseTo(order, 0)
  })
})

test('by hand: one step of each kind on a constant velocity is exact', async () => {
  const constant = denoiser((xt) => affine(xt, 0, 3), { prediction: 'velocity' })
  for (const [method] of orders) {
    const end = await lastStep(rungeKutta(flowPath({ numSteps: 1 }), constant, xT, { method }))
    for (const [i, value] of [...(await end.data())].entries()) expect(value).toBeCloseTo([-2, -5][i], 14)
    end.dispose()
  }
})

test('turns a velocity that points to the data', async () => {
  const constant = denoiser((xt) => affine(xt, 0, 3), { prediction: 'velocity' })
  const path = flowPath({ numSteps: 1, networkTime: 'towardsData' })
  expect([...(await (await lastStep(rungeKutta(path, constant, xT))).data())]).toEqual([4, 1])
})

test('returns to the noise on the way back', async () => {
  const there = await lastStep(rungeKutta(flowPath({ numSteps: 20 }), normalData(0.25), xT, { method: 'classic4' }))
  const back = await lastStep(
    rungeKutta(flowPath({ numSteps: 20, from: 0, to: 1 }), normalData(0.25), there, { method: 'classic4' }),
  )
  for (const [i, value] of [...(await back.data())].entries()) expect(value).toBeCloseTo([1, -2][i], 5)
})

test('says which step it evaluates for, so that guidance is decided once a step', async () => {
  const path = flowPath({ numSteps: 2 })
  const seen: boolean[] = []
  const denoise = normalData(2)
  const noting: typeof denoise = (xt, level, step) => {
    seen.push(step?.from.t === path.steps[0].from.t)
    return denoise(xt, level)
  }
  await lastStep(rungeKutta(path, noting, xT))
  expect(seen).toEqual([true, true, false, false])
})

test('takes a tableau of your own', async () => {
  const method = { nodes: [0, 1], stages: [[], [1]], weights: [0.5, 0.5] }
  const path = flowPath({ numSteps: 2 })
  const own = await lastStep(rungeKutta(path, normalData(2), xT, { method }))
  const named = await lastStep(rungeKutta(path, normalData(2), xT))
  expect([...(await own.data())]).toEqual([...(await named.data())])
})

test('takes its last step by another method', async () => {
  const path = flowPath({ numSteps: 3 })
  const asked: (number | undefined)[] = []
  const noting: Denoise = (xt, level) => {
    asked.push(level.t)
    return normalData(2)(xt, level)
  }
  const got = await lastStep(rungeKutta(path, noting, xT, { lastMethod: 'euler' }))
  expect(asked).toEqual([0, 1, 1, 2, 2].map((i) => path.steps[i].from.t))
  const [first, second, third] = path.steps
  const begun = await lastStep(rungeKutta({ ...path, steps: [first, second] }, normalData(2), xT))
  const done = await lastStep(rungeKutta({ ...path, steps: [third] }, normalData(2), begun, { method: 'euler' }))
  expect([...(await got.data())]).toEqual([...(await done.data())])
})

test('numbers its steps, and leaves no tensor behind', async () => {
  const before = backend.memory().buffers
  const seen: (readonly [number, number, number])[] = []
  const path = flowPath({ numSteps: 3, timestepScale: 1000 })
  for await (const { index, numSteps, timestep, xt, x0 } of rungeKutta(path, normalData(2), xT)) {
    seen.push([index, numSteps, Math.round(timestep)])
    if (index === 2) for (const x of [xt, x0]) x.dispose()
  }
  expect(seen).toEqual([
    [0, 3, 1000],
    [1, 3, 667],
    [2, 3, 333],
  ])
  expect(backend.memory().buffers).toBe(before)
})

test('frees what it holds when it is left, and when it is stopped', async () => {
  const before = backend.memory().buffers
  for await (const _ of rungeKutta(flowPath({ numSteps: 5 }), normalData(2), xT)) break
  const stop = new AbortController()
  await expect(async () => {
    for await (const { index } of rungeKutta(flowPath({ numSteps: 5 }), normalData(2), xT, { signal: stop.signal })) {
      if (index === 1) stop.abort(new Error('enough'))
    }
  }).rejects.toThrow('enough')
  expect(backend.memory().buffers).toBe(before)
})

test('refuses unknown methods, tableaus that do not fit and paths without times', () => {
  const path = flowPath({ numSteps: 2 })
  const run = (...args: [typeof path, object?]) => rungeKutta(args[0], normalData(1), xT, args[1])
  expect(() => run(path, { method: 'rk4' })).toThrow(
    'rungeKutta: method must be one of euler, midpoint, heun2, ralston2, heun3, threeEighths4, classic4 (got rk4)',
  )
  expect(() => run(path, { method: { nodes: [0, 1], stages: [[]], weights: [1] } })).toThrow(
    'rungeKutta: a tableau needs as many nodes, stages and weights, the first node 0, and i numbers in row i (got 2, 1 and 1)',
  )
  const tables = diffusionTables(namedBetas('linear', 1000))
  const bare = pathThrough([levelAtSnr(tables, 0.1), levelAtSnr(tables, 10)])
  expect(() => run(bare)).toThrow('rungeKutta: levels need t, dAlpha and dSigma, as those of flowPath have')
  expect(() => run({ steps: path.steps, startScale: 1 }, { method: 'midpoint' })).toThrow(
    'rungeKutta: it looks between the levels of a path, which needs `at`, as flowPath has',
  )
  expect(() => rungeKutta(path, normalData(1), tensor([1], [1], { backend }))).toThrow(
    'rungeKutta: xT must be [B, C, ...]',
  )
})
