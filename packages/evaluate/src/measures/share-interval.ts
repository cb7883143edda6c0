import type { MeasureInterval } from '../evaluation.js'

/**
 * The interval of a share of so many, from that of resamples: within 0 and 1, and never narrower than Wilson's. Where all have something,
 * or none has, every resample says the same, but all of 20 is not all of a thousand.
 */
export function shareInterval(
  share: number,
  count: number,
  level: number,
  { low, high, standardError }: MeasureInterval,
): MeasureInterval {
  const counted = wilsonInterval(share, count, level)
  return {
    low: Math.max(0, Math.min(low, counted.low, share)),
    high: Math.min(1, Math.max(high, counted.high, share)),
    standardError,
  }
}

/** Of so many. Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference". */
function wilsonInterval(share: number, count: number, level: number): { low: number; high: number } {
  const z = normalQuantile((1 + level) / 2)
  const middle = (share + (z * z) / (2 * count)) / (1 + (z * z) / count)
  const reach = (z / (1 + (z * z) / count)) * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count))
  return { low: middle - reach, high: middle + reach }
}

/** Of the standard normal distribution, for a share above one half: within 5e-4. Abramowitz & Stegun 1964, 26.2.23. */
function normalQuantile(share: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - share))
  return t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3)
}
