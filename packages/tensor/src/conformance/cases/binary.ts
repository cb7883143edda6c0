import { add, div, equal, greater, less, maximum, minimum, mul, sub, where } from '../../ops/binary.js'
import { clamp } from '../../ops/clamp.js'
import { broadcastTo, sum } from '../../ops/reduce.js'
import { formatShape, sizeOf } from '../../shape.js'
import type { Tensor } from '../../tensor.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { compare, compareExactly } from '../compare.js'
import { exact, roundings, terms } from '../tolerance.js'
import { drawIntegers, drawNormal, drawUniform, given, givenIntegers } from '../values.js'

/** Every kind of broadcasting: scalars, missing leading axes, stretched axes on either side, on both, in between. */
const pairs: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[1], [1]],
  [
    [3, 5],
    [3, 5],
  ],
  [[7], []],
  [[], [2, 3]],
  [[], []],
  [
    [4, 3],
    [1, 1],
  ],
  [[3, 5], [5]],
  [[5], [3, 5]],
  [
    [3, 5],
    [3, 1],
  ],
  [
    [3, 1],
    [1, 5],
  ],
  [
    [2, 1, 7],
    [2, 3, 7],
  ],
  [
    [2, 3, 7],
    [2, 1, 7],
  ],
  [
    [2, 3, 7],
    [1, 3, 1],
  ],
  [
    [1, 3, 1, 5],
    [2, 1, 7, 1],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 5],
  ],
  [
    [2, 2, 3, 2, 3],
    [2, 1, 3, 1, 3],
  ],
  [
    [2, 5000],
    [2, 1],
  ],
]

const operations: Record<string, (a: Tensor, b: Tensor) => Tensor> = { add, sub, mul, div, maximum, minimum }

export function binaryCases({ define }: CaseContext): ConformanceCase[] {
  const cases: ConformanceCase[] = []
  for (const [a, b] of pairs) {
    const of = `${formatShape(a)} and ${formatShape(b)}`
    // Away from 0, so that dividing is harmless.
    const inputs = { a: drawNormal(`a ${of}`, a), b: drawUniform(`b ${of}`, b, 0.5, 2) }
    // A gradient sums over what was stretched: at most all elements of the result.
    const length = terms(Math.max(sizeOf(a), sizeOf(b)) * 4)
    for (const [op, run] of Object.entries(operations)) {
      cases.push(
        define('binary', `${op} of ${of}`, (backend, factor) =>
          compare(
            backend,
            {
              inputs,
              run: ({ a, b }) => run(a, b),
              // One rounding; division may be a product with a rounded reciprocal.
              forward: op === 'div' ? roundings(3) : roundings(1),
              backward: { a: length, b: length },
            },
            factor,
          ),
        ),
      )
    }
    cases.push(
      define('binary', `comparisons of ${of}`, async (backend) => {
        const digits = { a: drawIntegers(`c ${of}`, a, 3), b: drawIntegers(`d ${of}`, b, 3) }
        const floats = {
          a: given([...digits.a.data], a),
          b: given([...digits.b.data], b),
        }
        for (const run of [greater, less, equal]) await compareExactly(backend, floats, ({ a, b }) => run(a, b))
        return 0
      }),
      define('binary', `broadcastTo from ${of}`, (backend, factor) =>
        compare(
          backend,
          {
            inputs: { a: inputs.a },
            run: ({ a: x }) => broadcastTo(x, sizeOf(b) === 1 ? [3, 2, ...a] : [4, ...a]),
            forward: exact,
            backward: { a: terms(6) },
          },
          factor,
        ),
      ),
    )
  }
  cases.push(
    define('binary', 'where, with each operand broadcast', async (backend, factor) => {
      let worst = 0
      for (const [condition, a, b] of [
        [
          [3, 5],
          [3, 5],
          [3, 5],
        ],
        [[3, 1], [5], []],
        [[], [2, 1, 3], [4, 1]],
        [[2, 3, 4], [], [4]],
      ]) {
        const of = [condition, a, b].map(formatShape).join(' ')
        const inputs = {
          condition: given([...drawIntegers(`where ${of}`, condition, 2).data], condition),
          a: drawNormal(`where a ${of}`, a),
          b: drawNormal(`where b ${of}`, b),
        }
        const comparison = {
          inputs,
          run: ({ condition, a, b }: Readonly<Record<string, Tensor>>) => where(condition, a, b),
        }
        const length = terms(24)
        worst = Math.max(
          worst,
          await compare(backend, { ...comparison, forward: exact, backward: { a: length, b: length } }, factor),
        )
      }
      return worst
    }),
    define('binary', 'where with an i32 condition, taking any number but 0 as true', (backend) =>
      compareExactly(
        backend,
        { condition: givenIntegers([0, 1, -1, 7, 0]), a: given([1, 2, 3, 4, 5]), b: given([6, 7, 8, 9, 10]) },
        ({ condition, a, b }) => where(condition, a, b),
        ['a', 'b'],
      ),
    ),
    define('binary', 'where keeps NaN and infinity of the branch not taken out', (backend) =>
      compareExactly(
        backend,
        {
          condition: given([1, 0, 1, 0]),
          a: given([1, NaN, 2, Infinity]),
          b: given([NaN, 3, -Infinity, 4]),
        },
        ({ condition, a, b }) => where(condition, a, b),
        ['a', 'b'],
      ),
    ),
    define('binary', 'maximum and minimum give the gradient of ties to the first operand', async (backend) => {
      const inputs = { a: given([1, 2, 3, -1, 0]), b: given([1, 3, 2, -1, 0]) }
      for (const run of [maximum, minimum]) await compareExactly(backend, inputs, ({ a, b }) => run(a, b), ['a', 'b'])
      return 0
    }),
    define('binary', 'maximum and minimum are NaN where either operand is', async (backend) => {
      const inputs = { a: given([1, NaN, NaN, -Infinity, 2]), b: given([NaN, 3, NaN, Infinity, 2]) }
      for (const run of [maximum, minimum]) await compareExactly(backend, inputs, ({ a, b }) => run(a, b))
      return 0
    }),
    define('binary', 'clamp and its gradient: 1 inside with the ends, 0 outside', (backend) =>
      compareExactly(
        backend,
        { x: given([-9, -1, -0.999, 0, 0.5, 2, 2.001, 1e30, -1e30]) },
        ({ x }) => clamp(x, -1, 2),
        ['x'],
      ),
    ),
    define('binary', 'division by zero gives infinities', (backend) =>
      compareExactly(backend, { a: given([1, -1, 3]), b: given([0, 0, 2]) }, ({ a, b }) => div(a, b)),
    ),
    define('binary', 'one tensor as both operands', (backend, factor) =>
      compare(
        backend,
        {
          inputs: { x: drawUniform('both', [3, 5], 0.5, 2) },
          run: ({ x }) => sum(add(mul(x, x), div(x, add(x, x)))),
          forward: terms(15),
          backward: { x: terms(4) },
        },
        factor,
      ),
    ),
  )
  return cases
}
