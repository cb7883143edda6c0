import { matmul } from '../../ops/matmul.js'
import { sizeOf } from '../../shape.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { compare } from '../compare.js'
import { terms } from '../tolerance.js'
import { drawNormal } from '../values.js'

/** M, K, N: single elements, odd sizes, vectors, past the tile of any engine. */
const sizes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [3, 5, 7],
  [1, 9, 4],
  [4, 9, 1],
  [6, 1, 5],
  [8, 8, 8],
  [17, 33, 65],
]

const batches: readonly (readonly number[])[] = [[], [1], [3], [2, 3]]

export function matmulCases({ define }: CaseContext): ConformanceCase[] {
  const cases: ConformanceCase[] = []
  const add = (batch: readonly number[], size: readonly [number, number, number], shared = false) => {
    const [M, K, N] = size
    for (const transposeA of shared ? [false] : [false, true]) {
      for (const transposeB of [false, true]) {
        const a = [...batch, ...(transposeA ? [K, M] : [M, K])]
        const b = [...(shared ? [] : batch), ...(transposeB ? [N, K] : [K, N])]
        const claim = `[${a.join(', ')}]${transposeA ? ' transposed' : ''} by [${b.join(', ')}]${transposeB ? ' transposed' : ''}`
        // A gradient sums over M or N and, where the batch shares one matrix, over the batch too.
        const rows = M * sizeOf(batch)
        cases.push(
          define('matmul', claim, (backend, factor) =>
            compare(
              backend,
              {
                inputs: { a: drawNormal(`a ${claim}`, a), b: drawNormal(`b ${claim}`, b) },
                run: ({ a, b }) => matmul(a, b, { transposeA, transposeB }),
                forward: terms(K),
                backward: { a: terms(N), b: terms(rows) },
              },
              factor,
            ),
          ),
        )
      }
    }
  }
  for (const batch of batches) for (const size of sizes) add(batch, size)
  add([], [130, 70, 129])
  add([], [2, 5000, 3])
  add([2], [1, 5000, 1])
  add([1], [5000, 2, 3])
  for (const batch of [[1], [3], [2, 3]]) add(batch, [3, 5, 7], true)
  return cases
}
