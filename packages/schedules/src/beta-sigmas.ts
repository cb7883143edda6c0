import { checkRange, type SigmaRange } from './sigma-spacing.js'

/**
 * Noise levels at the quantiles of a beta distribution, noisiest first: dense at both ends where both shapes are below 1.
 *
 *   sigma_i = sigmaMin + (sigmaMax - sigmaMin) quantile(1 - i / (N - 1); a, b)
 *
 * @returns `[numSteps]`, float64
 * @throws RangeError for sigmas that are not finite, or not above 0; for shapes that are not above 0
 *
 * Lee et al. 2024, "Beta Sampling is All You Need", with the shapes 0.6 of their section 4.
 */
export function betaSigmas(range: SigmaRange, numSteps: number, { a = 0.6, b = 0.6 } = {}): Float64Array {
  checkRange('betaSigmas', range, numSteps)
  if (!(a > 0 && b > 0)) throw new RangeError(`betaSigmas: the shapes must be above 0 (got ${a} and ${b})`)
  const { sigmaMin, sigmaMax } = range
  return Float64Array.from({ length: numSteps }, (_, i) => {
    const share = numSteps === 1 ? 1 : 1 - i / (numSteps - 1)
    return sigmaMin + betaQuantile(share, a, b) * (sigmaMax - sigmaMin)
  })
}

/** The x with betaShare(x) = p, by halving: 60 halvings leave nothing of float64. */
export function betaQuantile(p: number, a: number, b: number): number {
  if (p <= 0) return 0
  if (p >= 1) return 1
  let [low, high] = [0, 1]
  for (let i = 0; i < 1100 && high - low > 1e-17 * high; i++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (betaShare(middle, a, b) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/**
 * Share of a beta distribution below x: the regularised incomplete beta function, as a continued fraction.
 *
 * Abramowitz & Stegun 1964, 26.5.8; evaluated by Lentz's method.
 */
export function betaShare(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  // The fraction converges fast below the mean only; the other side follows from the symmetry.
  if (x > (a + 1) / (a + b + 2)) return 1 - betaShare(1 - x, b, a)
  const front = Math.exp(
    a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b) - Math.log(a),
  )
  let [c, d] = [1, 1 / (1 - ((a + b) * x) / (a + 1))]
  let fraction = d
  for (let m = 1; m < 300; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / (1 + even * d)
    c = 1 + even / c
    fraction *= c * d
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / (1 + odd * d)
    c = 1 + odd / c
    fraction *= c * d
    if (Math.abs(c * d - 1) < 1e-16) break
  }
  return front * fraction
}

/** log of the gamma function for x > 0, by Stirling's series after a shift beyond 10. */
function logGamma(x: number): number {
  let [shifted, product] = [x, 1]
  while (shifted < 10) product *= shifted++
  const inverse = 1 / shifted
  const square = inverse * inverse
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))))
  return (shifted - 0.5) * Math.log(shifted) - shifted + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product)
}
