import { integers, randomStream } from '@dit/random'
import { affine, dispose, reference, tensor, type Tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { flowMatching, flowProcess, gaussianProcess, type Process } from '../../src/index.js'

const backend = reference()
const x0 = tensor([1, -2], [1, 1, 1, 2], { backend })
const noise = tensor([0.5, 3], [1, 1, 1, 2], { backend })
const stream = randomStream(0, 'timesteps', 0)

const processes: Readonly<Record<string, Process>> = {
  flow: flowProcess(),
  'flow of x0': flowProcess({ prediction: 'x0', weighting: 'velocity', times: { law: 'logitNormal', mean: 0.8 } }),
  'vp flow of noise': flowProcess({ interpolant: 'vp', prediction: 'epsilon' }),
  gaussian: gaussianProcess({ varianceType: 'fixedSmall' }),
  'gaussian of x0': gaussianProcess({ varianceType: 'fixedLarge', meanType: 'x0', schedule: 'squaredcos_cap_v2' }),
}

describe.each(Object.entries(processes))('%s', (_name, process) => {
  test('draws times, and has the losses that it names', async () => {
    const timesteps = process.draw(stream, 1)
    const losses = process.losses((xt: Tensor) => affine(xt, 0), { x0, timesteps, noise })
    expect(Object.keys(losses)).toEqual(process.terms)
    for (const term of process.terms) {
      expect(losses[term].shape).toEqual([1])
      expect(Number.isFinite((await losses[term].data())[0])).toBe(true)
    }
    dispose(losses)
  })

  test('draws the same whatever the parts', () => {
    expect([...process.draw(stream, 2), ...process.draw(stream, 3, 2)]).toEqual([...process.draw(stream, 5)])
  })

  test('has a level at a ratio, and a path from noise to data', () => {
    const { alpha, sigma } = process.levelAtSnr(1)
    expect((alpha / sigma) ** 2).toBeCloseTo(1, 10)
    const { steps } = process.path({ numSteps: 4 })
    expect(steps).toHaveLength(4)
    expect(steps[0].from.sigma).toBeGreaterThan(0.99)
    expect(steps[3].to.sigma).toBeLessThan(0.02)
  })

  test('reads a network that always answers 0', async () => {
    const { steps } = process.path({ numSteps: 2 })
    const parts = process.denoiser((xt) => affine(xt, 0))(x0, steps[1].from)
    expect(parts.x0.shape).toEqual(x0.shape)
    dispose(parts)
  })
})

test('gaussian timesteps are those that the trainer has always drawn', () => {
  expect([...gaussianProcess().draw(stream, 6)]).toEqual([...integers(stream, 1000, 6)])
})

test('a flow process keeps all its settings as plain data', () => {
  const { settings } = flowProcess({ networkTime: 'towardsData' })
  expect(JSON.parse(JSON.stringify(settings))).toEqual(flowMatching({ networkTime: 'towardsData' }))
  expect(settings.interval).toEqual({ min: 0, max: 1 })
})

test('times keep away from ends where the weighted loss is infinite', () => {
  expect(flowMatching({ weighting: 'likelihood' }).interval).toEqual({ min: 0.001, max: 0.999 })
})

test('a shift bends the path of a flow, and a gaussian one has none', () => {
  expect(flowProcess().path({ numSteps: 2, shift: 3 }).steps[0].to.t).toBe(0.75)
  expect(() => gaussianProcess().path({ numSteps: 2, shift: 3 })).toThrow('gaussianProcess: a path has no shift')
})

test('flowMatching refuses what it does not know', () => {
  expect(() => flowMatching({ prediction: 'v' as 'x0' })).toThrow(
    'flowMatching: prediction must be one of velocity, x0, epsilon, score (got v)',
  )
  expect(() => flowMatching({ weighting: 'snr' as 'none' })).toThrow(
    'flowMatching: weighting must be one of none, velocity',
  )
  expect(() => flowMatching({ sigmaFloor: -1 })).toThrow('flowMatching: sigmaFloor must be in [0, 1] (got -1)')
  expect(() => flowMatching({ outputsPerChannel: 3 as 2 })).toThrow(
    'flowMatching: outputsPerChannel must be 1 or 2 (got 3)',
  )
  expect(() => flowMatching({ interval: { min: 0.5, max: 0.2 } })).toThrow(
    'the interval must lie in [0, 1] (got 0.5 to 0.2)',
  )
})

test('the path of a flow may begin and end elsewhere', () => {
  const ends = (options: object) => {
    const { steps } = flowProcess().path({ numSteps: 2, ...options })
    return [steps[0].from.t, steps[1].to.t]
  }
  expect(ends({})).toEqual([1, 0])
  expect(ends({ from: 0.999 })).toEqual([0.999, 0])
  expect(ends({ from: 0.9, to: 0.1 })).toEqual([0.9, 0.1])
  expect(() => ends({ from: 2 })).toThrow('flowTimes: from and to must be two times in [0, 1] (got 2 and 0)')
})
