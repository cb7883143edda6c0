import { layerNorm } from '../../ops/layer-norm.js'
import { mean, sum } from '../../ops/reduce.js'
import { softmax } from '../../ops/softmax.js'
import { formatShape, sizeOf } from '../../shape.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { compare } from '../compare.js'
import { terms } from '../tolerance.js'
import { drawNormal, given, type Input } from '../values.js'

const reductions: readonly (readonly [readonly number[], readonly number[] | undefined])[] = [
  [[], undefined],
  [[1], [0]],
  [[7], undefined],
  [[3, 5], [0]],
  [[3, 5], [1]],
  [[3, 5], []],
  [
    [2, 3, 5],
    [0, 2],
  ],
  [[2, 3, 5], [1]],
  [
    [2, 3, 5],
    [-1, 0, 1],
  ],
  [
    [2, 3, 4, 5],
    [1, 3],
  ],
  [
    [2, 3, 2, 2, 3],
    [0, 2, 4],
  ],
  [[2, 5000], [1]],
  [[5000, 3], [0]],
  [[70001], undefined],
]

export function reduceCases({ define }: CaseContext): ConformanceCase[] {
  const cases: ConformanceCase[] = []
  for (const [shape, axes] of reductions) {
    const over = `of ${formatShape(shape)} over ${axes === undefined ? 'all axes' : formatShape(axes)}`
    for (const [name, reduce] of Object.entries({ sum, mean })) {
      for (const keepDims of [false, true]) {
        cases.push(
          define('reduce', `${name} ${over}${keepDims ? ', kept' : ''}`, (backend, factor) =>
            compare(
              backend,
              {
                inputs: { x: drawNormal(over, shape) },
                run: ({ x }) => reduce(x, axes, { keepDims }),
                forward: terms(sizeOf(shape)),
                backward: { x: terms(1) },
              },
              factor,
            ),
          ),
        )
      }
    }
  }

  const rows: Record<string, Input> = {
    '[1]': given([3]),
    '[1, 1, 1]': given([-2], [1, 1, 1]),
    '[7]': drawNormal('softmax 7', [7]),
    '[3, 5, 7]': drawNormal('softmax 3 5 7', [3, 5, 7], 3),
    '[2, 1, 3, 65]': drawNormal('softmax 65', [2, 1, 3, 65], 3),
    '[3, 5000]': drawNormal('softmax 5000', [3, 5000]),
    'values of 1e4 and -1e4': given([1e4, -1e4, 1e4, -1e4, 9999, 0, -1e4, -1e4, -1e4], [3, 3]),
    'values of 1e-30': given([1e-30, -1e-30, 0, 1e-30], [2, 2]),
    'equal values': given([5, 5, 5, 5, 5, 5], [2, 3]),
  }
  for (const [of, x] of Object.entries(rows)) {
    cases.push(
      define('softmax', `softmax of ${of}`, (backend, factor) =>
        compare(
          backend,
          {
            inputs: { x },
            run: ({ x }) => softmax(x),
            forward: terms(x.shape.at(-1)!),
            backward: { x: terms(x.shape.at(-1)!) },
          },
          factor,
        ),
      ),
    )
  }

  const normalised: Record<string, Input> = {
    '[3, 5, 7]': drawNormal('norm 3 5 7', [3, 5, 7]),
    '[4, 1]': drawNormal('norm 4 1', [4, 1]),
    '[2, 5000]': drawNormal('norm 5000', [2, 5000]),
    'rows with mean 1000': drawNormal('norm mean', [3, 64], 1, 1000),
    'rows of 1e-4, where epsilon counts': drawNormal('norm tiny', [3, 16], 1e-4),
    'rows of 1e4': drawNormal('norm big', [3, 16], 1e4),
  }
  for (const [of, x] of Object.entries(normalised)) {
    cases.push(
      define('norm', `layerNorm of ${of}`, (backend, factor) =>
        compare(
          backend,
          {
            inputs: { x },
            run: ({ x }) => layerNorm(x, 1e-6),
            forward: terms(x.shape.at(-1)!),
            backward: { x: terms(x.shape.at(-1)!) },
          },
          factor,
        ),
      ),
    )
  }
  return cases
}
