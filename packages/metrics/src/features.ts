/**
 * Features of pictures, one row each: `shape` is `[N, D]`, `data` row-major. An array that `readNpy` of `@dit/checkpoint` gives, or one
 * of a safetensors file, is one if its type is float32 or float64.
 */
export interface Features {
  readonly shape: readonly number[]
  readonly data: Float32Array | Float64Array
}

/** Sizes of checked features. */
export interface FeatureSize {
  readonly count: number
  readonly width: number
}

/**
 * Number of rows and columns of features.
 *
 * @throws TypeError unless `data` is a Float32Array or Float64Array
 * @throws RangeError unless they are `[N, D]` with D >= 1 and finite numbers, and have at least `least` rows
 */
export function checkFeatures(who: string, what: string, { shape, data }: Features, least = 1): FeatureSize {
  if (!(data instanceof Float32Array || data instanceof Float64Array))
    throw new TypeError(`${who}: the data of ${what} must be a Float32Array or a Float64Array`)
  const [count, width] = shape
  const isMatrix = shape.length === 2 && shape.every((size) => Number.isInteger(size) && size >= 0) && width > 0
  if (!isMatrix) throw new RangeError(`${who}: ${what} must have shape [N, D]; it has [${shape.join(', ')}]`)
  if (data.length !== count * width)
    throw new RangeError(`${who}: ${what} [${shape.join(', ')}] needs ${count * width} numbers and has ${data.length}`)
  if (count < least) throw new RangeError(`${who}: ${what} has ${samples(count)}; the measure needs at least ${least}`)
  const wrong = firstNotFinite(data)
  if (wrong >= 0) {
    const [row, column] = [Math.floor(wrong / width), wrong % width]
    throw new RangeError(`${who}: ${what} must be finite; row ${row}, column ${column} is ${data[wrong]}`)
  }
  return { count, width }
}

/** @throws RangeError unless both widths are the same */
export function checkWidths(who: string, first: number, second: number): void {
  if (first !== second)
    throw new RangeError(`${who}: both sets must have the same width; they have ${first} and ${second}`)
}

/** The rows of features that a list names, in its order; a row may come more than once. */
export function takeRows({ shape, data }: Features, rows: ArrayLike<number>): Features {
  const [count, width] = shape
  const taken =
    data instanceof Float32Array ? new Float32Array(rows.length * width) : new Float64Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    if (!Number.isInteger(row) || row < 0 || row >= count)
      throw new RangeError(`takeRows: rows must be integers in 0 .. ${count - 1}; entry ${i} is ${row}`)
    taken.set(data.subarray(row * width, (row + 1) * width), i * width)
  }
  return { shape: [rows.length, width], data: taken }
}

/** "1 sample", "3 samples". */
export function samples(count: number): string {
  return `${count} ${count === 1 ? 'sample' : 'samples'}`
}

function firstNotFinite(data: Float32Array | Float64Array): number {
  // x - x is 0 for every finite x and NaN otherwise, so that a sum finds whether there is a fault.
  // Four sums, so that an addition need not wait for the one before it.
  let [a, b, c, d] = [0, 0, 0, 0]
  const whole = data.length - (data.length % 4)
  for (let i = 0; i < whole; i += 4) {
    a += data[i] - data[i]
    b += data[i + 1] - data[i + 1]
    c += data[i + 2] - data[i + 2]
    d += data[i + 3] - data[i + 3]
  }
  for (let i = whole; i < data.length; i++) a += data[i] - data[i]
  return a + b + c + d === 0 ? -1 : data.findIndex((x) => !Number.isFinite(x))
}
