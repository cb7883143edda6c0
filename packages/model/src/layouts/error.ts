import { describeDifference, type ShapeDifference } from '../compare-shapes.js'

/** Weights do not fit a model: names are missing, do not belong, or have another shape. The lists are whole; the text may cut them. */
export class LayoutError extends RangeError {
  override readonly name = 'LayoutError'
  readonly missing: readonly string[]
  readonly misshaped: readonly string[]
  readonly unexpected: readonly string[]

  constructor(what: string, difference: ShapeDifference) {
    super(`${what} (${describeDifference(difference)})`)
    this.missing = difference.missing
    this.misshaped = difference.misshaped
    this.unexpected = difference.unexpected
  }
}
