import { checkStatistics, type Statistics } from './statistics.js'

/** Statistics as the ADM suite keeps them: of pooled features, and of spatial ones for sFID. */
export interface AdmStatistics {
  readonly pooled: Statistics
  readonly spatial: Statistics | null
}

/** An array to store, as `writeNpz` of `@dit/checkpoint` takes it. */
export interface Float64ArrayOfShape {
  readonly dtype: 'F64'
  readonly shape: readonly number[]
  readonly data: Float64Array
}

/** An array of a file, as `readNpz` of `@dit/checkpoint` gives it. */
export interface StoredNumbers {
  readonly shape: readonly number[]
  readonly data: unknown
}

/**
 * Arrays of a reference file as the ADM suite, pytorch-fid and torch-fidelity read it: `mu`, `sigma`, and `mu_s`, `sigma_s` where there
 * are spatial statistics. `writeNpz(admArrays(statistics))` makes the file. The number of samples has no place in it.
 */
export function admArrays({ pooled, spatial }: AdmStatistics): Record<string, Float64ArrayOfShape> {
  const arrays: Record<string, Float64ArrayOfShape> = {}
  const add = (suffix: string, statistics: Statistics) => {
    const width = checkStatistics('admArrays', `mu${suffix}, sigma${suffix}`, statistics)
    arrays[`mu${suffix}`] = { dtype: 'F64', shape: [width], data: statistics.mean }
    arrays[`sigma${suffix}`] = { dtype: 'F64', shape: [width, width], data: statistics.covariance }
  }
  add('', pooled)
  if (spatial !== null) add('_s', spatial)
  return arrays
}

/**
 * Statistics of such a file: `readAdmStatistics(await readNpz(bytes))`. float32 is read, too; all computing is in float64.
 *
 * @param arrays   by name; others, such as the pictures in `arr_0`, are not read
 * @param options  `count`: number of samples behind the statistics, which the file does not say
 * @throws RangeError when `mu` or `sigma` is missing, only one of `mu_s` and `sigma_s` is there, or their shapes do not belong together
 */
export function readAdmStatistics(
  arrays: ReadonlyMap<string, StoredNumbers>,
  { count = null }: { readonly count?: number | null } = {},
): AdmStatistics {
  const read = (suffix: string): Statistics => {
    const [mu, sigma] = [`mu${suffix}`, `sigma${suffix}`]
    const [mean, covariance] = [arrays.get(mu), arrays.get(sigma)]
    if (mean === undefined || covariance === undefined) {
      throw new RangeError(
        `readAdmStatistics: there must be arrays ${mu} and ${sigma}; the file has ${[...arrays.keys()].join(', ') || 'none'}`,
      )
    }
    const width = mean.shape[0]
    if (mean.shape.length !== 1 || covariance.shape.length !== 2 || covariance.shape.some((size) => size !== width)) {
      throw new RangeError(
        `readAdmStatistics: ${mu} [D] and ${sigma} [D, D] must belong together; they have shapes ` +
          `[${mean.shape.join(', ')}] and [${covariance.shape.join(', ')}]`,
      )
    }
    const statistics = { count, mean: float64(mu, mean), covariance: float64(sigma, covariance) }
    checkStatistics('readAdmStatistics', `${mu}, ${sigma}`, statistics)
    return statistics
  }
  const hasSpatial = arrays.has('mu_s') || arrays.has('sigma_s')
  return { pooled: read(''), spatial: hasSpatial ? read('_s') : null }
}

function float64(name: string, { data }: StoredNumbers): Float64Array {
  if (data instanceof Float64Array) return data
  if (data instanceof Float32Array) return Float64Array.from(data)
  throw new TypeError(`readAdmStatistics: ${name} must be float32 or float64`)
}
