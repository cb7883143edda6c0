import { extent, ticks } from 'd3-array'
import { format } from 'd3-format'
import { scaleLinear, scaleLog } from 'd3-scale'

export type ScaleKind = 'linear' | 'log'

/** A numeric axis: positions, marks on it and their text. */
export interface Axis {
  readonly kind: ScaleKind
  /** Pixels of a value. */
  scale(value: number): number
  readonly ticks: readonly number[]
  text(tick: number): string
}

/** Values that span more than this factor are read more easily on a log scale. */
const LOG_FACTOR = 8

/** `log` for positive values that differ by a large factor, else `linear`. */
export function chooseScale(values: readonly number[]): ScaleKind {
  const [low, high] = extent(values)
  return low !== undefined && high !== undefined && low > 0 && high / low > LOG_FACTOR ? 'log' : 'linear'
}

/**
 * An axis that holds all values, with some air.
 *
 * @param range pixels of the low and the high end
 * @param count marks on a linear axis, about
 */
export function valueAxis(
  values: readonly number[],
  kind: ScaleKind,
  range: readonly [number, number],
  count = 5,
): Axis {
  const [low = 0, high = 1] = extent(values)
  if (kind === 'log') {
    const air = (high / low) ** 0.04
    const scale = scaleLog([low / air, high * air], range)
    const ticks = logTicks(scale.domain() as [number, number])
    return { kind, scale, ticks, text: tickText(ticks) }
  }
  return linearAxis([Math.min(0, low), high > low || high > 0 ? high : 1], range, count)
}

/** An axis from 0 to the last step, with about `count` marks. */
export function stepAxis(lastStep: number, range: readonly [number, number], count = 8): Axis {
  const scale = scaleLinear([0, Math.max(1, lastStep)], range)
  const ticks = scale.ticks(count).filter(Number.isInteger)
  return { kind: 'linear', scale, ticks, text: format(',d') }
}

function linearAxis(domain: readonly [number, number], range: readonly [number, number], count: number): Axis {
  const scale = scaleLinear(domain, range).nice(count)
  const ticks = scale.ticks(count)
  return { kind: 'linear', scale, ticks, text: tickText(ticks) }
}

/** Fewer marks do not tell how far apart values are. */
const FEWEST_LOG_TICKS = 3

/**
 * 1, 2 and 5 times the powers of ten inside a domain; powers of ten alone where there are many, and equal steps where it holds fewer
 * than three.
 */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const first = Math.floor(Math.log10(low))
  const last = Math.ceil(Math.log10(high))
  const factors = Math.log10(high / low) > 3 ? [1] : [1, 2, 5]
  const marks = Array.from({ length: last - first + 1 }, (_, i) =>
    factors.map((factor) => Number(`${factor}e${first + i}`)),
  )
    .flat()
    .filter((tick) => tick >= low && tick <= high)
  return marks.length < FEWEST_LOG_TICKS ? ticks(low, high, FEWEST_LOG_TICKS + 1) : marks
}

/** Plain decimals, or powers of ten where they would be long. */
function tickText(ticks: readonly number[]): (tick: number) => string {
  const sizes = ticks.map(Math.abs).filter((size) => size > 0)
  const isPlain = Math.min(...sizes) >= 1e-4 && Math.max(...sizes) < 1e6
  const power = format('.2~e')
  const plain = format(',.6~f')
  return (tick) => (isPlain || tick === 0 ? plain(tick) : power(tick).replace('e+', 'e'))
}
