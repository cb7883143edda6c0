/**
 * Sinusoidal features of timesteps, the input of a timestep embedder.
 *
 *   frequency[i] = maxPeriod^(-i / (half - frequencyShift))        half = floor(width / 2), i = 0 .. half - 1
 *   features     = [cos(timestep frequency[i]) ..., sin(timestep frequency[i]) ..., 0 if width is odd]
 *
 * Cosines come first, the other way round than in the position tables of the same models. Timesteps are used as they
 * are, not scaled to a fixed range. Computed in float64 and rounded once, so timesteps near 1000 keep the digits that
 * an evaluation in float32 loses (up to 1e-4).
 *
 * @param timesteps  `[B]`, any finite numbers, fractions too
 * @param width      2 or more; DiT uses 256
 * @param maxPeriod  the longest period is below 2 pi maxPeriod; above 0
 * @param frequencyShift  0 for DiT; 1 makes the slowest frequency 1 / maxPeriod itself, as in the code of Ho et al. 2020
 * @returns `[B, width]`, row-major, float32
 * @throws RangeError when `width`, `maxPeriod`, `frequencyShift` or a timestep is out of range
 *
 * Vaswani et al. 2017, "Attention Is All You Need", section 3.5, with the order and the default divisor (half, not half - 1)
 * of Nichol and Dhariwal's diffusion code.
 */
export function timestepFeatures(
  timesteps: ArrayLike<number>,
  width: number,
  maxPeriod = 10000,
  frequencyShift = 0,
): Float32Array {
  if (!Number.isInteger(width) || width < 2) {
    throw new RangeError(`timestepFeatures: width must be an integer of at least 2 (got ${width})`)
  }
  if (!(maxPeriod > 0 && maxPeriod < Infinity)) {
    throw new RangeError(`timestepFeatures: maxPeriod must be a positive number (got ${maxPeriod})`)
  }
  const half = Math.floor(width / 2)
  if (!(frequencyShift >= 0 && frequencyShift < half)) {
    throw new RangeError(`timestepFeatures: frequencyShift must be in [0, ${half}) (got ${frequencyShift})`)
  }
  const divisor = half - frequencyShift
  const frequencies = Float64Array.from({ length: half }, (_, i) => Math.exp((-Math.log(maxPeriod) * i) / divisor))
  const features = new Float32Array(timesteps.length * width)
  for (let b = 0; b < timesteps.length; b++) {
    const timestep = timesteps[b]
    if (!Number.isFinite(timestep)) {
      throw new RangeError(`timestepFeatures: timesteps must be finite (timesteps[${b}] is ${timestep})`)
    }
    for (let i = 0; i < half; i++) {
      features[b * width + i] = Math.cos(timestep * frequencies[i])
      features[b * width + half + i] = Math.sin(timestep * frequencies[i])
    }
  }
  return features
}
