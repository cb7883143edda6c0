/** An exponential moving average of the parameters, kept beside `ema` in a file of its own. */
export interface Average {
  /** Its file in a checkpoint is `<name>.safetensors`. */
  readonly name: string
  /** Decay a step, 0 to 1. */
  readonly decay: number
  /** As `emaWarmup` of the recipe (default false). */
  readonly warmup?: boolean
}

/** Names of the files of a checkpoint, which no average may have. */
const TAKEN = ['model', 'ema', 'optimizer', 'state', 'manifest']

/**
 * Checks averages.
 *
 * @throws RangeError that says what is wrong
 */
export function checkAverages(averages: readonly Average[]): void {
  const names = new Set(TAKEN)
  for (const { name, decay } of averages) {
    if (typeof name !== 'string' || !/^[\w.]+$/.test(name) || names.has(name)) {
      throw new RangeError(
        `recipe: averages need different names of letters, digits, dots and underscores, none of ${TAKEN.join(', ')} (got ${name})`,
      )
    }
    names.add(name)
    if (!(decay >= 0 && decay < 1))
      throw new RangeError(`recipe: decay of average ${name} must be in [0, 1) (got ${decay})`)
  }
}
