import { normals, randomStream } from '@dit/random'
import { flowLevel } from '@dit/schedules'
import { add, affine, concat, mean, reference, scope, tensor, type Tensor, valueAndGrad } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import {
  addFlowNoise,
  flowLosses,
  flowMatching,
  type FlowMatchingOptions,
  flowWeight,
  type FlowWeighting,
} from '../../src/index.js'

const backend = reference()
const shape = [2, 1, 1, 2]
const x0 = tensor([1, -2, 0, 4], shape, { backend })
const noise = tensor([0.5, 3, -1, 1], shape, { backend })
const times = [0.25, 0.5]
const zero = (xt: Tensor) => affine(xt, 0)
const values = async (x: Tensor) => [...(await x.data())]
const lossOf = async (options: FlowMatchingOptions, predict: (xt: Tensor) => Tensor = zero) =>
  values(flowLosses(flowMatching(options), predict, { x0, noise, times }).loss)

describe('flowLosses by hand, of a network that answers 0', () => {
  test('velocity is noise - x0 on the straight path', async () => {
    expect(await lossOf({})).toEqual([(0.25 + 25) / 2, (1 + 9) / 2])
  })

  test('x0 and epsilon are compared with themselves', async () => {
    expect(await lossOf({ prediction: 'x0' })).toEqual([2.5, 8])
    expect(await lossOf({ prediction: 'epsilon' })).toEqual([(0.25 + 9) / 2, 1])
  })

  test('a score is compared as sigma score + noise', async () => {
    expect(await lossOf({ prediction: 'score' })).toEqual([(0.25 + 9) / 2, 1])
    const one = (xt: Tensor) => affine(xt, 0, 1)
    expect(await lossOf({ prediction: 'score' }, one)).toEqual([(0.75 ** 2 + 3.25 ** 2) / 2, (0.5 ** 2 + 1.5 ** 2) / 2])
  })

  test('the weighting multiplies what is returned as mse', async () => {
    const process = flowMatching({ prediction: 'x0', weighting: 'velocity' })
    const { loss, mse } = flowLosses(process, zero, { x0, noise, times })
    expect(await values(mse)).toEqual([2.5, 8])
    expect(await values(loss)).toEqual([2.5 * 16, 8 * 4])
  })
})

test('is 0 for a network that knows the answer, told its own time', async () => {
  for (const networkTime of ['towardsNoise', 'towardsData'] as const) {
    for (const interpolant of ['linear', 'gvp', 'vp'] as const) {
      const process = flowMatching({ interpolant, networkTime })
      const told: number[][] = []
      const predict = (_: Tensor, timesteps: ArrayLike<number>) => {
        told.push(Array.from(timesteps))
        return scope(() =>
          concat(
            times.map((t, i) => {
              const { dAlpha, dSigma, velocityScale } = flowLevel(t, process.flow)
              const row = (x: number[]) => tensor(x.slice(2 * i, 2 * i + 2), [1, 1, 1, 2], { backend })
              const velocity = add(affine(row([1, -2, 0, 4]), dAlpha!), affine(row([0.5, 3, -1, 1]), dSigma!))
              return affine(velocity, velocityScale!)
            }),
            0,
          ),
        )
      }
      for (const loss of await values(flowLosses(process, predict, { x0, noise, times }).loss)) {
        expect(loss).toBeLessThan(1e-28)
      }
      expect(told).toEqual([networkTime === 'towardsData' ? [0.75, 0.5] : [0.25, 0.5]])
    }
  }
})

test('a velocity loss is the x0 loss weighted as one', async () => {
  const x0Guess = tensor(normals(randomStream(1, 'guess'), 4), shape, { backend })
  for (const interpolant of ['linear', 'gvp', 'vp'] as const) {
    const process = flowMatching({ interpolant })
    const xt = addFlowNoise(process, { x0, noise, times })
    const rows = await Promise.all([x0Guess, xt].map(values))
    const velocity = tensor(
      rows[0].map((guess, i) => {
        const { alpha, sigma, dAlpha, dSigma } = flowLevel(times[i >> 1], process.flow)
        return dAlpha! * guess + dSigma! * ((rows[1][i] - alpha * guess) / sigma)
      }),
      shape,
      { backend },
    )
    const asVelocity = await lossOf({ interpolant }, () => affine(velocity, 1))
    const asX0 = await lossOf({ interpolant, prediction: 'x0', weighting: 'velocity' }, () => affine(x0Guess, 1))
    asVelocity.forEach((loss, i) => expect(asX0[i] / loss).toBeCloseTo(1, 12))
  }
})

test('has gradients that agree with central differences', async () => {
  const process = flowMatching({ prediction: 'score', weighting: 'likelihood' })
  const lossAt = (w: Tensor) => mean(flowLosses(process, (xt) => add(affine(xt, 0), w), { x0, noise, times }).loss)
  const scalar = (value: number) => tensor([value], [1, 1, 1, 1], { backend })
  const at = async (value: number) => (await scope(() => lossAt(scalar(value))).data())[0]
  const { gradients } = valueAndGrad({ w: scalar(0.3) }, ({ w }) => ({ loss: lossAt(w) }))
  const h = 1e-5
  expect((await gradients.w.data())[0]).toBeCloseTo(((await at(0.3 + h)) - (await at(0.3 - h))) / (2 * h), 6)
})

describe('flowWeight', () => {
  const weight = (prediction: 'velocity' | 'x0' | 'epsilon' | 'score', weighting: FlowWeighting) =>
    flowWeight(flowLevel(0.25), { prediction, weighting })

  test('of velocity and likelihood by hand at t = 1/4, where D = 1/3', () => {
    expect(weight('velocity', 'velocity')).toBe(1)
    expect(weight('x0', 'velocity')).toBe(16)
    expect(weight('epsilon', 'velocity')).toBeCloseTo(16 / 9, 14)
    expect(weight('score', 'likelihood')).toBeCloseTo(16 / 3, 14)
    expect(weight('velocity', 'likelihood')).toBeCloseTo((1 / 3) * 9, 14)
    expect(weight('x0', 'likelihood')).toBeCloseTo((1 / 3) * 144, 12)
  })

  test('of SD3', () => {
    expect(weight('velocity', 'inverseSigma2')).toBe(16)
    expect(weight('velocity', 'cosmap')).toBeCloseTo(2 / (Math.PI * 0.625), 14)
  })

  test('divides by no less than the floor', () => {
    const options = { prediction: 'x0', weighting: 'velocity', sigmaFloor: 0.05 } as const
    expect(flowWeight(flowLevel(0.01), options)).toBeCloseTo(400, 10)
  })
})

test('frees all but its results', () => {
  const before = backend.memory().buffers
  const losses = flowLosses(flowMatching({ prediction: 'score', weighting: 'velocity' }), zero, { x0, noise, times })
  expect(backend.memory().buffers).toBe(before + 2)
  losses.loss.dispose()
  losses.mse.dispose()
})

test('drops the channels of an unused variance', async () => {
  const doubled = (xt: Tensor) => concat([affine(xt, 0), affine(xt, 5)], 1)
  expect(await lossOf({ outputsPerChannel: 2 }, doubled)).toEqual(await lossOf({}))
})

test('refuses what does not fit, and times at which the loss is infinite', () => {
  const run = (batch: object, options: FlowMatchingOptions = {}) =>
    flowLosses(flowMatching(options), zero, { x0, noise, times, ...batch })
  expect(() => run({ times: [0.5] })).toThrow(
    'flowLosses: there must be one time per sample (got 1 for x0 [2, 1, 1, 2])',
  )
  expect(() => run({ times: [0.5, 1.5] })).toThrow('flowLosses: times must lie in [0, 1] (times[1] is 1.5)')
  expect(() => run({ noise: tensor([1], [1, 1, 1, 1], { backend }) })).toThrow(
    'flowLosses: noise must have the shape of x0 (got [1, 1, 1, 1] and [2, 1, 1, 2])',
  )
  expect(() => run({}, { outputsPerChannel: 2 })).toThrow(
    'flowLosses: the network must return [2, 2, 1, 2] for xt [2, 1, 1, 2] (got [2, 1, 1, 2])',
  )
  expect(() => run({ times: [0.5, 0] }, { prediction: 'x0', weighting: 'velocity' })).toThrow(
    'flowLosses: the loss of x0 with weighting velocity is infinite at t = 0; draw times as flowInterval says',
  )
  expect(() => run({ times: [0.5, 0] }, { interpolant: 'vp' })).toThrow(
    'the loss of velocity with weighting none is infinite',
  )
})
