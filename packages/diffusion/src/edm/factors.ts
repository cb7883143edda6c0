import { tensor, type Tensor } from '@dit/tensor'

/** One number per sample, rounded once, as a factor `[B, 1, ...]` for `x` `[B, ...]`. */
export function factors(values: ArrayLike<number>, x: Tensor): Tensor {
  const shape = [values.length, ...x.shape.slice(1).map(() => 1)]
  return tensor(Float64Array.from(values), shape, { backend: x.backend, dtype: x.dtype })
}
