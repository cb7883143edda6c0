/** How the decay of an average rises from 0. */
export interface EmaCourse {
  /** Greatest decay (default 0.9999). */
  readonly decay?: number
  /** Least decay once averaging has begun (default 0). */
  readonly minDecay?: number
  /** Steps before averaging begins (default 0). */
  readonly updateAfter?: number
  /** Rise as 1 - (1 + s / invGamma)^-power instead of (1 + s) / (10 + s) (default: absent). */
  readonly warmup?: { readonly invGamma?: number; readonly power?: number }
}

/**
 * Decay of the average after some optimizer steps, as diffusers' `EMAModel` has it.
 *
 *   s     = numSteps - updateAfter - 1                  0 where that is not above 0: the average is the parameters
 *   decay = (1 + s) / (10 + s), or with a warm-up 1 - (1 + s / invGamma)^-power; between minDecay and decay
 *
 * A power of 2/3 suits runs of a million steps and more, 3/4 shorter ones.
 *
 * @param numSteps optimizer steps so far
 */
export function emaCourseAt(
  numSteps: number,
  { decay = 0.9999, minDecay = 0, updateAfter = 0, warmup }: EmaCourse = {},
): number {
  const s = numSteps - updateAfter - 1
  if (s <= 0) return 0
  const { invGamma = 1, power = 2 / 3 } = warmup ?? {}
  const rising = warmup === undefined ? (1 + s) / (10 + s) : 1 - (1 + s / invGamma) ** -power
  return Math.max(minDecay, Math.min(rising, decay))
}
