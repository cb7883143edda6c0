/**
 * Quantile of Student's t distribution: the value that a share `probability` of draws stays below.
 *
 * @param degrees  degrees of freedom, above 0
 * @throws RangeError for a probability outside (0, 1) or degrees that are not above 0
 *
 * Abramowitz & Stegun 1964, 26.7.1, by the incomplete beta function and bisection.
 */
export function studentQuantile(probability: number, degrees: number): number {
  if (!(probability > 0 && probability < 1))
    throw new RangeError(`studentQuantile: probability must lie between 0 and 1; it is ${probability}`)
  if (!(degrees > 0)) throw new RangeError(`studentQuantile: degrees must be above 0; they are ${degrees}`)
  if (probability < 0.5) return -studentQuantile(1 - probability, degrees)
  const tail = 2 * (1 - probability)
  // P(|T| > t) = I(degrees / (degrees + t^2); degrees / 2, 1 / 2), which falls with t.
  const above = (t: number) => incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
  let [low, high] = [0, 1]
  while (above(high) > tail) high *= 2
  for (let i = 0; i < 200 && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2
    if (above(middle) > tail) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Regularised incomplete beta function I(x; a, b), by Lentz's continued fraction. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(logGammaRatio(a, b) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  return x < (a + 1) / (a + b + 2) ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b
}

function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  const kept = (value: number) => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / kept(1 - ((a + b) * x) / (a + 1))
  let result = d
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / kept(1 + even * d)
    c = kept(1 + even / c)
    result *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / kept(1 + odd * d)
    c = kept(1 + odd / c)
    result *= d * c
    if (Math.abs(d * c - 1) < 1e-16) break
  }
  return result
}

/** ln(Gamma(a + b) / Gamma(a)), without the cancellation of large numbers where b is a half. */
function logGammaRatio(a: number, b: number): number {
  if (b !== 0.5 || a < 100) return logGamma(a + b) - logGamma(a)
  // Abramowitz & Stegun 1964, from 6.1.41; the next term is below 1e-12 here.
  return 0.5 * Math.log(a) - 1 / (8 * a) + 1 / (192 * a ** 3)
}

/** Coefficients of Lanczos's approximation with g = 7 and 9 terms (Godfrey 2001), to 15 digits. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** ln Gamma(x) for x > 0. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const shifted = x - 1
  const base = shifted + 7.5
  const sum = LANCZOS.reduce(
    (total, coefficient, i) => (i === 0 ? coefficient : total + coefficient / (shifted + i)),
    0,
  )
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum)
}
