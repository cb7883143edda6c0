import { checkColumns, checkLevel, DECADE, factorText, numDifferent, spanOf } from './checks.js'
import { inversePositive } from './linear-algebra.js'
import { fitLine, type Interval } from './line.js'
import { type Derivatives, minimise, type Objective } from './newton.js'
import { extrapolationWarnings, fitPowerLaw, type Prediction } from './power-law.js'
import { studentQuantile } from './student-t.js'

/** A power law above a floor: `y = floor + c x^-k`. */
export interface SaturatingFit {
  /** 0 or more. */
  readonly floor: number
  readonly c: number
  readonly k: number
  /** Half the sum of squared residuals of ln y. */
  readonly objective: number
  /** Intervals from the curvature at the fit, Student's t; null where no degree of freedom is left or the floor is 0. */
  readonly kInterval: Interval | null
  readonly floorInterval: Interval | null
  readonly warnings: readonly string[]
  readonly predict: (x: number) => Prediction
}

/** The place of a fit with the inverse of J'J, in coordinates `[ln floor, ln c', k]`. */
interface Curvature {
  readonly inverse: number[][]
  readonly variance: number
  readonly quantile: number
}

/** Exponents from which fits start. */
const STARTS = [0.05, 0.1, 0.2, 0.35, 0.5, 0.8, 1.2, 2]
/** A floor below this share of the smallest y is 0. */
const NO_FLOOR = 1e-3
/** A floor that lowers the sum of squares by less than this share is not seen in the data. */
const NO_GAIN = 1e-6

/**
 * Fits `y = floor + c x^-k` with `floor >= 0`, by least squares of ln y.
 *
 * @param level  share of the intervals; default 0.95
 * @throws RangeError for numbers that are not positive, or fewer than 4 different x
 *
 * Intervals: linearised at the fit (Seber & Wild 1989, "Nonlinear Regression", section 5.1), the floor's in its logarithm.
 */
export function fitSaturatingPowerLaw(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { level = 0.95 }: { readonly level?: number } = {},
): SaturatingFit {
  checkLevel('fitSaturatingPowerLaw', level)
  checkColumns('fitSaturatingPowerLaw', { x, y })
  if (numDifferent(x) < 4) {
    throw new RangeError(
      `fitSaturatingPowerLaw: three parameters need at least 4 different values of x; there are ${numDifferent(x)}`,
    )
  }
  const logX = Array.from(x, Math.log)
  const centre = logX.reduce((sum, value) => sum + value, 0) / logX.length
  const z = logX.map((value) => value - centre)
  const logY = Array.from(y, Math.log)
  const objective = saturatingObjective(z, logY)
  const smallest = Math.min(...Array.from(y))
  const best = STARTS.map((k) => minimise(objective, startAt(z, logY, smallest, k))).toSorted(
    (a, b) => a.value - b.value,
  )[0]
  const plain = fitPowerLaw(x, y, { level })
  const withoutFloor =
    0.5 * logY.reduce((sum, value, i) => sum + (value - Math.log(plain.c) + plain.k * logX[i]) ** 2, 0)
  const span = spanOf(x)
  const spanWarnings =
    span < DECADE ? [`x spans only ${factorText(span)}: under a decade a floor cannot be told from an exponent`] : []
  const floor = Math.exp(best.at[0])
  if (!(best.value < withoutFloor * (1 - NO_GAIN)) || floor < NO_FLOOR * smallest) {
    return {
      floor: 0,
      c: plain.c,
      k: plain.k,
      objective: withoutFloor,
      kInterval: plain.kInterval,
      floorInterval: null,
      warnings: [
        'the best floor is 0: the data show no saturation, and no floor must be reported as measured',
        ...spanWarnings,
      ],
      predict: (at) => plain.predict(at),
    }
  }
  const k = best.at[2]
  const curvature = curvatureAt(best.at, z, best.value, level)
  const around = (value: number, i: number): Interval | null => {
    if (curvature === null) return null
    const half = curvature.quantile * Math.sqrt(curvature.variance * curvature.inverse[i][i])
    return { low: value - half, high: value + half }
  }
  const logFloor = around(best.at[0], 0)
  const floorInterval = logFloor === null ? null : { low: Math.exp(logFloor.low), high: Math.exp(logFloor.high) }
  const isVague = floorInterval === null || floorInterval.high > 2 * floorInterval.low
  return {
    floor,
    c: Math.exp(best.at[1] + k * centre),
    k,
    objective: best.value,
    kInterval: around(k, 2),
    floorInterval,
    warnings: [
      ...(isVague
        ? [
            `the floor is hardly determined${floorInterval === null ? '' : ` (${floorInterval.low.toPrecision(3)} to ${floorInterval.high.toPrecision(3)})`}: the points lie too far above it`,
          ]
        : []),
      ...spanWarnings,
      ...(k <= 0 ? ['the exponent is not above 0: y does not fall with x'] : []),
    ],
    predict(at) {
      if (!(at > 0 && Number.isFinite(at)))
        throw new RangeError(`fitSaturatingPowerLaw: x must be positive and finite; it is ${at}`)
      const warnings = extrapolationWarnings(at, Math.min(...Array.from(x)), Math.max(...Array.from(x)))
      return { ...predict(best.at, Math.log(at) - centre, curvature), warnings }
    },
  }
}

/** Coefficients for an exponent, by least squares of y, the floor kept below the smallest y. */
function startAt(z: readonly number[], logY: readonly number[], smallest: number, k: number): number[] {
  const terms = z.map((value) => Math.exp(-k * value))
  const { slope, intercept } = fitLine(terms, logY.map(Math.exp))
  const floor = Math.min(Math.max(intercept, smallest / 100), 0.99 * smallest)
  return [Math.log(floor), Math.log(Math.max(slope, smallest / 100)), k]
}

/** `sum (ln y - g)^2 / 2` with `g = ln(exp(floor) + exp(b - k z))` at `[floor, b, k]`. */
function saturatingObjective(z: readonly number[], logY: readonly number[]): Objective {
  const at = ([floor, b, k]: readonly number[], i: number) => {
    const fall = b - k * z[i]
    const largest = Math.max(floor, fall)
    const g = largest + Math.log1p(Math.exp(Math.min(floor, fall) - largest))
    return { r: logY[i] - g, share: Math.exp(fall - g), rest: Math.exp(floor - g) }
  }
  return {
    value: (place) => z.reduce((sum, _, i) => sum + at(place, i).r ** 2 / 2, 0),
    derivatives(place): Derivatives {
      let value = 0
      const gradient = [0, 0, 0]
      const hessian = gradient.map(() => [0, 0, 0])
      for (let i = 0; i < z.length; i++) {
        const { r, share, rest } = at(place, i)
        const slope = [rest, share, -z[i] * share]
        const axis = [0, 1, -z[i]]
        value += r ** 2 / 2
        for (let p = 0; p < 3; p++) {
          gradient[p] -= r * slope[p]
          for (let q = 0; q < 3; q++) {
            const curve = share * axis[p] * axis[q] + (p === 0 && q === 0 ? rest : 0)
            hessian[p][q] += (1 + r) * slope[p] * slope[q] - r * curve
          }
        }
      }
      return { value, gradient, hessian }
    },
  }
}

function curvatureAt(at: readonly number[], z: readonly number[], value: number, level: number): Curvature | null {
  const degrees = z.length - 3
  const gram = [0, 1, 2].map(() => [0, 0, 0])
  for (const each of z) {
    const slope = slopeAt(at, each)
    for (let p = 0; p < 3; p++) for (let q = 0; q < 3; q++) gram[p][q] += slope[p] * slope[q]
  }
  const inverse = inversePositive(gram)
  if (inverse === null || degrees < 1) return null
  return { inverse, variance: (2 * value) / degrees, quantile: studentQuantile((1 + level) / 2, degrees) }
}

/** Derivatives of ln y. */
function slopeAt([floor, b, k]: readonly number[], z: number): number[] {
  const share = 1 / (1 + Math.exp(floor - b + k * z))
  return [1 - share, share, -z * share]
}

/** The law at `z`, and the interval of a new point. */
function predict(
  at: readonly number[],
  z: number,
  curvature: Curvature | null,
): { value: number; interval: Interval | null } {
  const value = Math.exp(at[0]) + Math.exp(at[1] - at[2] * z)
  if (curvature === null) return { value, interval: null }
  const { inverse, variance, quantile } = curvature
  const slope = slopeAt(at, z)
  const spread = slope.reduce((sum, a, i) => sum + slope.reduce((inner, b, j) => inner + a * b * inverse[i][j], 0), 0)
  const half = quantile * Math.sqrt(variance * (1 + spread))
  return { value, interval: { low: value * Math.exp(-half), high: value * Math.exp(half) } }
}
