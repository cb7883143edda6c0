import { checkColumns, checkLevel, DECADE, factorText, numDifferent, spanOf } from './checks.js'
import { correlation, fitLine, type Interval, predictOnLine, slopeInterval } from './line.js'

/** A value of a law with the interval in which a new measurement lies; null where no degree of freedom is left. */
export interface Prediction {
  readonly value: number
  readonly interval: Interval | null
  /** Why the prediction should be doubted. */
  readonly warnings: readonly string[]
}

/** A power law through points: `y = c x^-k`. */
export interface PowerLawFit {
  readonly k: number
  readonly c: number
  /** Correlation of ln x and ln y. */
  readonly r: number
  /** Standard error of `k`, and its Student-t interval; null with two points. */
  readonly kError: number | null
  readonly kInterval: Interval | null
  /** Standard deviation of ln y about the line; null with two points. */
  readonly deviation: number | null
  readonly warnings: readonly string[]
  readonly predict: (x: number) => Prediction
}

const FEW_POINTS = 4

/**
 * Fits `y = c x^-k` by a least-squares line through the logarithms.
 *
 * @param level  share of the intervals; default 0.95
 * @throws RangeError for numbers that are not positive, or x that do not differ
 *
 * Intervals: Student's t with count - 2 degrees of freedom, as for any straight line (Draper & Smith 1998, chapter 1).
 */
export function fitPowerLaw(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { level = 0.95 }: { readonly level?: number } = {},
): PowerLawFit {
  checkLevel('fitPowerLaw', level)
  checkColumns('fitPowerLaw', { x, y })
  if (numDifferent(x) < 2)
    throw new RangeError(`fitPowerLaw: x must have two different values; it has ${numDifferent(x)}`)
  const [logX, logY] = [Array.from(x, Math.log), Array.from(y, Math.log)]
  const line = fitLine(logX, logY)
  const slope = slopeInterval(line, level)
  const [smallest, largest] = [Math.min(...Array.from(x)), Math.max(...Array.from(x))]
  return {
    k: -line.slope,
    c: Math.exp(line.intercept),
    r: new Set(logY).size > 1 ? correlation(logX, logY) : 0,
    kError: line.slopeError,
    kInterval: slope === null ? null : { low: -slope.high, high: -slope.low },
    deviation: line.deviation,
    warnings: powerWarnings(x, y, slope),
    predict(at) {
      if (!(at > 0 && Number.isFinite(at)))
        throw new RangeError(`fitPowerLaw: x must be positive and finite; it is ${at}`)
      const { value, interval } = predictOnLine(line, Math.log(at), level)
      return {
        value: Math.exp(value),
        interval: interval === null ? null : { low: Math.exp(interval.low), high: Math.exp(interval.high) },
        warnings: extrapolationWarnings(at, smallest, largest),
      }
    },
  }
}

function powerWarnings(x: ArrayLike<number>, y: ArrayLike<number>, slope: Interval | null): string[] {
  const span = spanOf(x)
  return [
    ...(x.length === 2
      ? ['two points: a line passes through both, and no interval can be given']
      : x.length < FEW_POINTS
        ? [`only ${x.length} points: the interval rests on ${x.length - 2} degree of freedom`]
        : []),
    ...(span < DECADE
      ? [`x spans only ${factorText(span)}: under a decade an extrapolation by a decade is not warranted`]
      : []),
    ...(slope !== null && slope.low <= 0 && slope.high >= 0 && spanOf(y) > 1
      ? ['the interval of the exponent holds 0: the data show no power law']
      : []),
  ]
}

/** Warns of a place further outside the data than they span. */
export function extrapolationWarnings(at: number, smallest: number, largest: number): string[] {
  const beyond = Math.max(at / largest, smallest / at)
  if (beyond <= 1) return []
  const isFar = Math.log(beyond) > Math.log(largest / smallest)
  const far = isFar ? ', further than the data span' : ''
  return [`extrapolated ${factorText(beyond)} beyond the data${far}; the interval holds only if the law does`]
}
