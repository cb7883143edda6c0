import { exponentOfWidth } from './power-average.js'

/** An exponential moving average of the parameters, kept beside `ema` in a file of its own. */
export interface Average {
  /** Its file in a checkpoint is `<name>.safetensors`. */
  readonly name: string
  /** Decay a step, 0 to 1. */
  readonly decay?: number
  /** In place of the decay: the width of a power profile, of which `posthocFactors` makes averages of other widths. */
  readonly width?: number
  /** As `emaWarmup` of the recipe (default false). */
  readonly warmup?: boolean
}

/** Names of the files of a checkpoint, which no average may have. */
const TAKEN = ['model', 'ema', 'optimizer', 'state', 'manifest']

/** A name of a file on every system: Windows keeps some for its devices. */
const FILE_NAME = /^(?!(?:con|nul|aux|prn|com\d|lpt\d)(?:\.|$))[a-z\d][\w.]*$/i

/**
 * Checks averages.
 *
 * @throws RangeError that says what is wrong
 */
export function checkAverages(averages: readonly Average[]): void {
  const names = new Set(TAKEN)
  for (const { name, decay, width, warmup = false } of averages) {
    if (typeof name !== 'string' || !FILE_NAME.test(name) || names.has(name.toLowerCase())) {
      throw new RangeError(
        `recipe: averages need different names (whatever their case) of letters, digits, dots and underscores, none of ${TAKEN.join(', ')} (got ${name})`,
      )
    }
    names.add(name.toLowerCase())
    if (width !== undefined) {
      if (decay !== undefined || warmup) {
        throw new RangeError(`recipe: average ${name} has a width, which takes the place of decay and warmup`)
      }
      exponentOfWidth(width)
    } else if (!(decay !== undefined && decay >= 0 && decay < 1))
      throw new RangeError(`recipe: decay of average ${name} must be in [0, 1) (got ${decay})`)
  }
}
