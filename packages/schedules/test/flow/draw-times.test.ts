import { randomStream } from '@dit/random'
import { describe, expect, test } from 'vitest'
import {
  drawTimes,
  flowLevel,
  logitNormalDensity,
  logitNormalTime,
  logNormalSigma,
  modeTime,
  shiftTime,
  type TimeLaw,
} from '../../src/index.js'

const stream = randomStream(3, 'timesteps', 0)
const count = 4000
const laws: readonly TimeLaw[] = [
  { law: 'uniform' },
  { law: 'logitNormal', mean: 0.5 },
  { law: 'mode' },
  { law: 'logNormal', shift: 3 },
]

describe('laws by hand', () => {
  test('logit-normal is the sigmoid of a normal number', () => {
    expect(logitNormalTime(0)).toBe(0.5)
    expect(logitNormalTime(1, 1, 2)).toBeCloseTo(1 / (1 + Math.exp(-3)), 15)
  })

  test('mode turns the time round and keeps its ends and middle', () => {
    expect([modeTime(0, 1.29), modeTime(0.5, 1.29)]).toEqual([1, expect.closeTo(0.5, 15)])
    expect(modeTime(1, 1.29)).toBeCloseTo(0, 15)
    expect(modeTime(0.25, 0)).toBe(0.75)
  })

  test('EDM draws exp(mean + std normal)', () => {
    expect(logNormalSigma(1)).toBe(1)
  })

  test('the density of the logit-normal has an integral of 1', () => {
    const n = 2000
    let sum = 0
    for (let i = 1; i < n; i++) sum += logitNormalDensity(i / n, -0.8, 0.8) / n
    expect(sum).toBeCloseTo(1, 6)
    expect([logitNormalDensity(0), logitNormalDensity(1)]).toEqual([0, 0])
  })
})

describe.each(laws)('$law', (law) => {
  test('stays in its interval', () => {
    const times = drawTimes(law, stream, count, { interval: { min: 0.1, max: 0.8 } })
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0.1)
    expect(Math.max(...times)).toBeLessThanOrEqual(0.8)
  })

  test('draws the same whatever the parts', () => {
    const whole = drawTimes(law, stream, 10)
    expect([...drawTimes(law, stream, 4), ...drawTimes(law, stream, 6, { start: 4 })]).toEqual([...whole])
  })
})

test('uniform times have mean 1/2 and variance 1/12', () => {
  const times = drawTimes({ law: 'uniform' }, stream, count)
  const mean = times.reduce((a, b) => a + b) / count
  const variance = times.reduce((a, b) => a + (b - mean) ** 2, 0) / count
  expect(Math.abs(mean - 0.5)).toBeLessThan(4 / Math.sqrt(12 * count))
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.005)
})

test('a shift moves what was drawn', () => {
  const [plain, shifted] = [
    drawTimes({ law: 'uniform' }, stream, 5),
    drawTimes({ law: 'uniform', shift: 3 }, stream, 5),
  ]
  expect([...shifted]).toEqual(Array.from(plain, (t) => shiftTime(t, 3)))
})

test('EDM noise levels on the straight path are a logit-normal', () => {
  const edm = drawTimes({ law: 'logNormal' }, stream, 50)
  const logit = drawTimes({ law: 'logitNormal', mean: -1.2, std: 1.2 }, stream, 50)
  edm.forEach((t, i) => expect(t).toBeCloseTo(logit[i], 14))
})

test('EDM noise levels that vp does not reach become its end', () => {
  const times = drawTimes({ law: 'logNormal', mean: 20 }, stream, 5, { flow: { interpolant: 'vp' } })
  expect([...times]).toEqual([1, 1, 1, 1, 1])
  const [t] = drawTimes({ law: 'logNormal' }, stream, 1, { flow: { interpolant: 'vp' } })
  const { alpha, sigma } = flowLevel(t, { interpolant: 'vp' })
  const [straight] = drawTimes({ law: 'logNormal' }, stream, 1)
  expect(sigma / alpha).toBeCloseTo(straight / (1 - straight), 10)
})

test('refuses unknown laws and values out of range', () => {
  const draw = (law: TimeLaw) => drawTimes(law, stream, 1)
  expect(() => draw({ law: 'beta' } as never)).toThrow(
    'drawTimes: law must be uniform, logitNormal, mode or logNormal (got beta)',
  )
  expect(() => draw({ law: 'mode', scale: 2 })).toThrow('drawTimes: scale of mode must be in [-1, 1.752] (got 2)')
  expect(() => draw({ law: 'logitNormal', std: 0 })).toThrow(
    'drawTimes: mean must be finite and std positive (got 0 and 0)',
  )
  expect(() => draw({ law: 'uniform', shift: -1 })).toThrow('drawTimes: shift must be positive and finite (got -1)')
  expect(() => drawTimes({ law: 'uniform' }, stream, 1, { interval: { min: 0.5, max: 0.5 } })).toThrow(
    'drawTimes: the interval must lie in [0, 1] (got 0.5 to 0.5)',
  )
})
