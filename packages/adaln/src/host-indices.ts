/**
 * Integers as an `Int32Array`, each below `bound`. Checked here because values on an engine cannot be looked at without
 * waiting.
 *
 * @throws RangeError naming the first that is not
 */
export function hostIndices(caller: string, name: string, values: ArrayLike<number>, bound: number): Int32Array {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isInteger(values[i]) || values[i] < 0 || values[i] >= bound) {
      throw new RangeError(`${caller}: ${name} must be integers in 0..${bound - 1} (${name}[${i}] is ${values[i]})`)
    }
  }
  return values instanceof Int32Array ? values : Int32Array.from(values)
}
