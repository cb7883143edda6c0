import { normals, randomStream } from '@dit/random'
import { describe, expect, test } from 'vitest'
import { correlation, countMultiplyAdds, fitPowerLaw, fitSaturatingPowerLaw, studentQuantile } from '../../src/index.js'
import { publishedModels } from '../published-models.js'
import { spaced } from './tables.js'

const noisy = (values: readonly number[], sigma: number) => {
  const z = normals(randomStream(5, 'power'), values.length)
  return values.map((value, i) => value * Math.exp(sigma * z[i]))
}

describe('power law', () => {
  test('finds exponent and coefficient, and predicts beyond the data with a warning', () => {
    const x = spaced(1, 1000, 7)
    const fit = fitPowerLaw(
      x,
      x.map((at) => 150 * at ** -0.37),
    )
    expect([fit.k, fit.c, fit.r]).toEqual([expect.closeTo(0.37, 13), expect.closeTo(150, 10), expect.closeTo(-1, 13)])
    expect(fit.predict(1e4).value).toBeCloseTo(150 * 1e4 ** -0.37, 10)
    expect(fit.predict(100).warnings).toEqual([])
    expect(fit.predict(1e4).warnings[0]).toMatch(/^extrapolated a factor of 10 beyond the data; /)
    expect(fit.predict(1e7).warnings[0]).toMatch(/further than the data span/)
    expect(fit.warnings).toEqual([])
  })

  test('an interval by hand: three points', () => {
    // ln x = -1, 0, 1 and ln y = 1, 0.6, -1: slope -1, residuals -0.2, 0.4, -0.2 about a mean of 0.2, one degree of freedom.
    const fit = fitPowerLaw([-1, 0, 1].map(Math.exp), [1, 0.6, -1].map(Math.exp))
    const error = Math.sqrt(0.24 / 2)
    const t = Math.tan(Math.PI * 0.475)
    expect(fit.k).toBeCloseTo(1, 14)
    expect(fit.kError).toBeCloseTo(error, 14)
    expect(fit.kInterval!.low).toBeCloseTo(1 - t * error, 10)
    const { interval } = fit.predict(Math.E)
    expect(Math.log(interval!.high)).toBeCloseTo(-0.8 + t * Math.sqrt(0.24) * Math.sqrt(1 + 1 / 3 + 1 / 2), 9)
    expect(fit.warnings[0]).toBe('only 3 points: the interval rests on 1 degree of freedom')
  })

  test('two points give a line without an interval, and say so', () => {
    const fit = fitPowerLaw([1, 100], [8, 2])
    expect(fit.k).toBeCloseTo(Math.log(4) / Math.log(100), 14)
    expect([fit.kError, fit.kInterval, fit.predict(1000).interval]).toEqual([null, null, null])
    expect(fit.warnings[0]).toMatch(/^two points/)
  })

  test('warns of half a decade and of an exponent that may be 0', () => {
    const x = spaced(1, 3, 6)
    expect(
      fitPowerLaw(
        x,
        noisy(
          x.map(() => 2),
          0.1,
        ),
      ).warnings,
    ).toEqual([
      'x spans only a factor of 3: under a decade an extrapolation by a decade is not warranted',
      'the interval of the exponent holds 0: the data show no power law',
    ])
  })

  test.each<[() => unknown, string]>([
    [() => fitPowerLaw([1, 1], [2, 3]), 'fitPowerLaw: x must have two different values; it has 1'],
    [() => fitPowerLaw([1, 2], [2, -3]), 'fitPowerLaw: y must be positive and finite; row 1 is -3'],
    [() => fitPowerLaw([1, 2], [2, 3], { level: 95 }), 'fitPowerLaw: level must lie between 0 and 1; it is 95'],
    [() => fitPowerLaw([1, 2], [2, 3]).predict(0), 'fitPowerLaw: x must be positive and finite; it is 0'],
    [() => correlation([1, 1], [2, 3]), 'correlation: the numbers of a list must differ'],
    [() => correlation([1], [2]), 'correlation: both lists need the same length, at least 2; they have 1 and 1'],
  ])('refuses %s', (work, message) => {
    expect(work).toThrow(RangeError)
    expect(work).toThrow(message)
  })

  test("the paper's twelve models: a correlation of -0.93 of ln Gflops and FID, and a law with its interval", () => {
    // Peebles & Xie 2022, table 4: FID-50K at 400K steps without guidance, in the order of `publishedModels`.
    const fid = [153.6, 100.41, 68.4, 122.74, 68.38, 43.47, 118.87, 45.64, 23.33, 106.41, 43.01, 19.47]
    const gflops = publishedModels.map(({ network }) => countMultiplyAdds(network).multiplyAdds / 1e9)
    expect(correlation(gflops.map(Math.log), fid)).toBeCloseTo(-0.93, 2)
    const { k, c, kInterval } = fitPowerLaw(gflops, fid)
    expect([k, c]).toEqual([expect.closeTo(0.365, 2), expect.closeTo(137.8, 0)])
    expect([kInterval!.low, kInterval!.high]).toEqual([expect.closeTo(0.27, 2), expect.closeTo(0.46, 2)])
  })
})

describe('saturating power law', () => {
  const x = spaced(1, 1e4, 12)
  const y = x.map((at) => 4.5 + 150 * at ** -0.37)

  test('finds floor, coefficient and exponent', () => {
    const fit = fitSaturatingPowerLaw(x, y)
    expect([fit.floor, fit.c, fit.k]).toEqual([expect.closeTo(4.5, 7), expect.closeTo(150, 5), expect.closeTo(0.37, 9)])
    expect(fit.warnings).toEqual([])
    expect(fit.predict(1e6).value).toBeCloseTo(4.5 + 150 * 1e6 ** -0.37, 6)
  })

  test('intervals hold the truth of a noisy table, and narrow with the noise', () => {
    const fit = fitSaturatingPowerLaw(x, noisy(y, 0.02))
    const narrow = fitSaturatingPowerLaw(x, noisy(y, 0.002))
    for (const { kInterval, floorInterval } of [fit, narrow]) {
      expect(kInterval!.low < 0.37 && kInterval!.high > 0.37).toBe(true)
      expect(floorInterval!.low < 4.5 && floorInterval!.high > 4.5).toBe(true)
    }
    const width = ({ kInterval }: typeof fit) => kInterval!.high - kInterval!.low
    expect(width(fit) / width(narrow)).toBeGreaterThan(7)
  })

  test('a curve that bends the other way has a floor of 0, with a warning and the plain law', () => {
    const bent = x.map((at) => 100 * at ** -0.2 * Math.exp(-0.02 * Math.log(at) ** 2))
    const fit = fitSaturatingPowerLaw(x, bent)
    expect(fit).toMatchObject({ floor: 0, floorInterval: null, k: fitPowerLaw(x, bent).k })
    expect(fit.warnings[0]).toBe(
      'the best floor is 0: the data show no saturation, and no floor must be reported as measured',
    )
  })

  test('says when a floor is hardly determined, and a decade is missing', () => {
    const near = spaced(1, 8, 9)
    const fit = fitSaturatingPowerLaw(
      near,
      noisy(
        near.map((at) => 4.5 + 150 * at ** -0.37),
        0.001,
      ),
    )
    expect(fit.warnings.join('\n')).toMatch(/hardly determined|the best floor is 0/)
    expect(fit.warnings.join('\n')).toMatch(/x spans only a factor of 8/)
  })

  test.each<[() => unknown, string]>([
    [() => fitSaturatingPowerLaw([1, 2, 3], [3, 2, 1]), 'at least 4 different values of x; there are 3'],
    [() => fitSaturatingPowerLaw([1, 2, 3, 0], [3, 2, 1, 1]), 'x must be positive and finite; row 3 is 0'],
    [() => fitSaturatingPowerLaw(x, y).predict(-1), 'x must be positive and finite; it is -1'],
  ])('refuses %s', (work, message) => {
    expect(work).toThrow(RangeError)
    expect(work).toThrow(message)
  })
})

test.each([
  [0.975, 1, 12.706204736],
  [0.975, 2, 4.30265273],
  [0.975, 10, 2.228138852],
  [0.995, 30, 2.749995654],
  [0.975, 1e9, 1.959963987],
  [0.5, 3, 0],
])("Student's t at %d with %d degrees of freedom is %d", (probability, degrees, value) => {
  // Tables of Student's t, such as Abramowitz & Stegun 1964, table 26.10.
  expect(studentQuantile(probability, degrees)).toBeCloseTo(value, 7)
  expect(studentQuantile(1 - probability, degrees)).toBeCloseTo(-value, 7)
})

test("Student's t refuses what has no quantile", () => {
  expect(() => studentQuantile(1, 3)).toThrow('studentQuantile: probability must lie between 0 and 1; it is 1')
  expect(() => studentQuantile(0.9, 0)).toThrow('studentQuantile: degrees must be above 0; they are 0')
})
