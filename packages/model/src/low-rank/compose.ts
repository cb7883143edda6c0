import { add, affine, matmul, type Params, scope, type Tensor } from '@dit/tensor'
import { adapterNames } from './low-rank.js'

/**
 * Parameters with adapters applied, on the engine and differentiable by them.
 *
 *   W + scale B A            where there are matrices A and B for W
 *
 * @param base     of the whole network, by name
 * @param adapters matrices as `adapterShapes` names them, and parameters that take the place of those of the base
 * @param scale    alpha / rank, or less for a weaker effect
 * @returns a record in the order of `base`; the composed weights are new, the others those that were given. `scope` frees the new ones
 */
export function composeAdapters(base: Params, adapters: Params, scale: number): Params {
  return Object.fromEntries(
    Object.entries(base).map(([name, weight]): [string, Tensor] => {
      const [a, b] = adapterNames(name)
      if (!(a in adapters)) return [name, adapters[name] ?? weight]
      return [name, scope(() => add(weight, matmul(affine(adapters[b], scale), adapters[a])))]
    }),
  )
}
