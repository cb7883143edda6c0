import { add, affine, type Tensor } from '@dit/tensor'

/** A factor and what it multiplies. */
export type Term = readonly [factor: number, x: Tensor]

/** Sum of the terms, from left to right; those with a factor of 0 are left out, whatever they hold. */
export function combine(...terms: readonly Term[]): Tensor {
  const used = terms.filter(([factor]) => factor !== 0)
  if (used.length === 0) return affine(terms[0][1], 0)
  return used.map(([factor, x]) => (factor === 1 ? x : affine(x, factor))).reduce((total, term) => add(total, term))
}
