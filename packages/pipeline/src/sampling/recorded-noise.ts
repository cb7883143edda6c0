/** Recorded draws of normal noise: `[N, C, H, W]` to start from, `[draws, N, C, H, W]` for the steps. */
export interface RecordedNoise {
  readonly values: Float32Array
  readonly shape: readonly number[]
}

/**
 * The part of recorded noise that belongs to some of the samples.
 *
 * @param sampleSize C H W
 * @param draw which of the draws of the steps; 0 for a start
 */
export function recordedPart(
  { values, shape }: RecordedNoise,
  { draw = 0, first, count, sampleSize }: { draw?: number; first: number; count: number; sampleSize: number },
): Float32Array {
  const perDraw = shape.length === 5 ? shape[1] * sampleSize : values.length
  const at = draw * perDraw + first * sampleSize
  return values.subarray(at, at + count * sampleSize)
}
