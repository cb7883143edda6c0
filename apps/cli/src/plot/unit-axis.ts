import { type Axis, stepAxis } from '@dit/evaluate/plot'
import { formatQuantity } from '../terminal/format.js'

/** An axis from 0 to the last of what is counted, such as examples or multiply-adds. */
export function unitAxis(last: number, range: readonly [number, number]): Axis {
  const axis = stepAxis(last, range)
  return last < 1e6 ? axis : { ...axis, text: (tick) => (tick === 0 ? '0' : formatQuantity(tick)) }
}
