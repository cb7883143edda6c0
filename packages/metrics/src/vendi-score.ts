import { symmetricEigenvalues } from './eigenvalues.js'
import { checkFeatures, type Features } from './features.js'
import { plainProducts, type Products } from './products.js'

/** The Vendi score and the eigenvalues it comes from. */
export interface VendiScore {
  /** Between 1, all samples point the same way, and N, all are orthogonal. */
  readonly score: number
  readonly warnings: readonly string[]
}

/**
 * Vendi score: how many different samples a set holds, in effect. It compares the set with nothing else.
 *
 *   exp(-sum l log l) for q = 1        (sum l^q)^(1 / (1 - q)) otherwise        1 / max l for q = Infinity
 *
 * where l are the eigenvalues of the cosine similarities of the rows, divided by N.
 *
 * @param options  `q`, the order: 1 by default; a larger one heeds rare samples less
 * @throws RangeError when a row is all zeros, since it has no direction, or q is not positive
 *
 * Friedman & Dieng 2023, "The Vendi Score", eq. 3; Pasarkar & Dieng 2024, "Cousins of the Vendi Score", eq. 4.
 */
export function vendiScore(
  features: Features,
  { q = 1, products = plainProducts }: { readonly q?: number; readonly products?: Products } = {},
): VendiScore {
  const { count, width } = checkFeatures('vendiScore', 'features', features)
  if (!(q > 0)) throw new RangeError(`vendiScore: q must be positive; it is ${q}`)
  const rows = unitRows(features.data, count, width)
  const size = Math.min(count, width)
  const gram = new Float64Array(size * size)
  products.syrk(count <= width ? rows : transposed(rows, count, width), gram, { n: size, k: Math.max(count, width) })
  const eigenvalues = symmetricEigenvalues(
    gram.map((value) => value / count),
    size,
    { products },
  )
  // Rounding leaves eigenvalues of 0 on either side of it.
  const shares = eigenvalues.filter((value) => value > 0)
  const score = effectiveNumber(shares, q)
  const warnings =
    count > 1 && score > count / 2
      ? [
          `a score of ${score.toPrecision(3)} is near the number of samples, ${count}, which bounds it; take more samples`,
        ]
      : []
  return { score, warnings }
}

function effectiveNumber(shares: Float64Array, q: number): number {
  if (q === Infinity) return 1 / shares[shares.length - 1]
  let sum = 0
  for (const share of shares) sum += q === 1 ? -share * Math.log(share) : share ** q
  return q === 1 ? Math.exp(sum) : sum ** (1 / (1 - q))
}

function unitRows(data: Float32Array | Float64Array, count: number, width: number): Float64Array {
  const rows = Float64Array.from(data)
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * width, (i + 1) * width)
    let largest = 0
    for (const value of row) largest = Math.max(largest, Math.abs(value))
    if (largest === 0) throw new RangeError(`vendiScore: row ${i} is all zeros and has no direction`)
    let square = 0
    for (const value of row) square += (value / largest) ** 2
    const length = Math.sqrt(square)
    for (let j = 0; j < width; j++) row[j] = row[j] / largest / length
  }
  return rows
}

function transposed(rows: Float64Array, count: number, width: number): Float64Array {
  const columns = new Float64Array(rows.length)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < width; j++) columns[j * count + i] = rows[i * width + j]
  }
  return columns
}
