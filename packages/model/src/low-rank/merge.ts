import type { StoredArray, StoredSpec, TensorFile } from '@dit/checkpoint'
import { formatShape, sameShape } from '@dit/tensor'
import { adapterNames, adaptedName, isAdapterName } from './low-rank.js'

/**
 * Weights with adapters merged into them, on the host: W + scale B A, summed in float64 and rounded once. Each is made when it is read.
 *
 * @param base     of the whole network, under the official names
 * @param adapters matrices A and B, and tensors that take the place of those of the base, which may have other shapes
 * @param scale    alpha / rank, or less for a weaker effect; 0 merges nothing
 * @throws RangeError where a matrix has no partner, or does not fit the weight
 */
export function mergeAdapters(base: TensorFile, adapters: TensorFile, scale: number): TensorFile {
  const entries = new Map<string, StoredSpec>(base.entries)
  for (const [name, { dtype, shape }] of adapters.entries) {
    if (!isAdapterName(name)) {
      if (!entries.has(name)) throw new RangeError(`mergeAdapters: the adapter has ${name}, which the base has not`)
      entries.set(name, { dtype, shape })
      continue
    }
    const weight = adaptedName(name)
    entries.set(weight, { dtype: 'F32', shape: checkPair(base, adapters, weight) })
  }
  const float32 = async (name: string): Promise<Float32Array> => {
    const [a, b] = adapterNames(name)
    if (adapters.entries.has(name)) return adapters.float32(name)
    if (!adapters.entries.has(a)) return base.float32(name)
    const [weight, right, left] = [await base.float32(name), await adapters.float32(a), await adapters.float32(b)]
    return withProduct(weight, left, right, scale, adapters.entries.get(a)!.shape)
  }
  const tensor = async (name: string): Promise<StoredArray> => {
    if (adapters.entries.has(name)) return adapters.tensor(name)
    if (!adapters.entries.has(adapterNames(name)[0])) return base.tensor(name)
    return { dtype: 'F32', shape: entries.get(name)!.shape, data: await float32(name) }
  }
  return { entries, tensor, float32 }
}

/** The shape of a weight that both matrices fit. */
function checkPair(base: TensorFile, adapters: TensorFile, name: string): readonly number[] {
  const [a, b] = adapterNames(name)
  const [first, second, weight] = [adapters.entries.get(a), adapters.entries.get(b), base.entries.get(name)]
  if (first === undefined || second === undefined) {
    const [there, missing] = first === undefined ? [b, a] : [a, b]
    throw new RangeError(`mergeAdapters: the adapter has ${there} without ${missing}`)
  }
  if (weight === undefined) throw new RangeError(`mergeAdapters: the adapter is for ${name}, which the base has not`)
  const product = [second.shape[0], first.shape[1]]
  const fits = first.shape.length === 2 && second.shape.length === 2 && first.shape[0] === second.shape[1]
  if (!fits || !sameShape(product, weight.shape)) {
    throw new RangeError(
      `mergeAdapters: lora_B and lora_A of ${name} must give ${formatShape(weight.shape)} (they are ${formatShape(second.shape)} and ${formatShape(first.shape)})`,
    )
  }
  return weight.shape
}

/** weight + scale left right, with `left` `[rows, rank]` and `right` `[rank, columns]`. */
function withProduct(
  weight: Float32Array,
  left: Float32Array,
  right: Float32Array,
  scale: number,
  [rank, columns]: readonly number[],
): Float32Array {
  const merged = new Float32Array(weight.length)
  const sums = new Float64Array(columns)
  for (let start = 0, row = 0; start < weight.length; start += columns, row++) {
    sums.fill(0)
    for (let k = 0; k < rank; k++) {
      const factor = scale * left[row * rank + k]
      for (let column = 0; column < columns; column++) sums[column] += factor * right[k * columns + column]
    }
    for (let column = 0; column < columns; column++) merged[start + column] = weight[start + column] + sums[column]
  }
  return merged
}
