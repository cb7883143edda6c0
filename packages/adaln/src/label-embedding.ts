import { formatShape, gather, scope, type Tensor, tensor } from '@dit/tensor'
import { hostIndices } from './host-indices.js'

/**
 * Embedding of class labels: one row of the table each. Where labels can be dropped, the last row is the null class.
 *
 * @param labels `[B]`, on the host; integers in 0 .. R - 1
 * @param table  `[R, D]`
 * @returns `[B, D]`
 * @throws RangeError when a label has no row
 */
export function labelEmbedding(labels: ArrayLike<number>, table: Tensor): Tensor {
  if (table.shape.length !== 2) {
    throw new RangeError(`labelEmbedding: table must be [R, D] (got ${formatShape(table.shape)})`)
  }
  const indices = hostIndices('labelEmbedding', 'labels', labels, table.shape[0])
  return scope(() => gather(table, tensor(indices, [indices.length], { backend: table.backend })))
}
