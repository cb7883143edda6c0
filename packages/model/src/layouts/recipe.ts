import type { StoredArray, StoredSpec, TensorFile } from '@dit/checkpoint'
import type { Shape } from '@dit/tensor'

/** Where a tensor of a layout comes from: tensors of a file by name, or values that no file has. */
export type Recipe =
  /** The first; further ones must be equal to it. */
  | { readonly kind: 'same'; readonly names: readonly string[] }
  /** One below the other, along the first axis. */
  | { readonly kind: 'stacked'; readonly names: readonly string[] }
  /** The `part`-th of `parts` equal pieces along the first axis. */
  | { readonly kind: 'part'; readonly name: string; readonly part: number; readonly parts: number }
  | { readonly kind: 'given'; readonly shape: Shape; readonly values: () => Float32Array }

/** Dtype and shape of what a recipe makes. */
export function specOf(recipe: Recipe, entries: ReadonlyMap<string, StoredSpec>): StoredSpec {
  if (recipe.kind === 'given') return { dtype: 'F32', shape: recipe.shape }
  if (recipe.kind === 'part') {
    const { dtype, shape } = entries.get(recipe.name)!
    return { dtype, shape: [shape[0] / recipe.parts, ...shape.slice(1)] }
  }
  const specs = recipe.names.map((name) => entries.get(name)!)
  const [{ dtype, shape }] = specs
  if (recipe.kind === 'same') return { dtype, shape }
  return { dtype, shape: [specs.reduce((rows, { shape }) => rows + shape[0], 0), ...shape.slice(1)] }
}

/**
 * Reads what a recipe makes.
 *
 * @throws RangeError where copies differ
 * @throws TypeError where pieces of one tensor have several dtypes
 */
export async function readRecipe(recipe: Recipe, file: TensorFile): Promise<StoredArray> {
  switch (recipe.kind) {
    case 'given':
      return { dtype: 'F32', shape: recipe.shape, data: recipe.values() }
    case 'part': {
      const { dtype, shape, data } = await file.tensor(recipe.name)
      const size = data.length / recipe.parts
      // A copy: the whole would stay in memory as long as the part.
      const piece = data.slice(recipe.part * size, (recipe.part + 1) * size)
      return { dtype, shape: [shape[0] / recipe.parts, ...shape.slice(1)], data: piece } as StoredArray
    }
    case 'same': {
      const first = await file.tensor(recipe.names[0])
      for (const name of recipe.names.slice(1)) requireEqual(recipe.names[0], first, name, await file.tensor(name))
      return first
    }
    default:
      return stack(await Promise.all(recipe.names.map((name) => file.tensor(name))), recipe.names)
  }
}

function stack(arrays: readonly StoredArray[], names: readonly string[]): StoredArray {
  const [{ dtype, shape, data }] = arrays
  const other = arrays.findIndex((array) => array.dtype !== dtype)
  if (other >= 0)
    throw new TypeError(
      `weights: ${names[other]} must have the dtype of ${names[0]}, ${dtype} (${arrays[other].dtype})`,
    )
  const all = data.slice(0, 0).constructor as new (length: number) => Float32Array
  const stacked = new all(arrays.reduce((length, array) => length + array.data.length, 0))
  let at = 0
  for (const array of arrays) {
    stacked.set(array.data as Float32Array, at)
    at += array.data.length
  }
  const rows = arrays.reduce((sum, array) => sum + array.shape[0], 0)
  return { dtype, shape: [rows, ...shape.slice(1)], data: stacked } as StoredArray
}

function requireEqual(firstName: string, first: StoredArray, name: string, other: StoredArray): void {
  const isSame = first.dtype === other.dtype && sameBytes(first.data, other.data)
  if (!isSame)
    throw new RangeError(`weights: ${name} must be a copy of ${firstName}: the model has one embedder for all blocks`)
}

function sameBytes(a: StoredArray['data'], b: StoredArray['data']): boolean {
  if (a.byteLength !== b.byteLength) return false
  const [x, y] = [a, b].map((data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return x.every((byte, i) => byte === y[i])
}
