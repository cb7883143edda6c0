import type { Backend } from '@dit/tensor'
import type { OpenModel } from '../open-model.js'

/**
 * The half precision in which all matrices of a DiT are stored, where the engine reads such weights: it then holds them as they are, in half
 * the memory, and computes the same. Undefined otherwise.
 */
export function storedHalf({ weights, description, isLent }: OpenModel, backend: Backend): 'f16' | 'bf16' | undefined {
  if (isLent || description.network === null) return undefined
  const matrices = [...weights.entries.values()].filter(({ shape }) => shape.length > 1)
  return (['f16', 'bf16'] as const).find(
    (half) => backend.dtypes.includes(half) && matrices.every(({ dtype }) => dtype.toLowerCase() === half),
  )
}
