import { gather } from '../../ops/gather.js'
import { add } from '../../ops/binary.js'
import { chunk, concat, permute, reshape, slice } from '../../ops/shape.js'
import { cast } from '../../ops/unary.js'
import { formatShape } from '../../shape.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { compare, compareExactly } from '../compare.js'
import { exact, terms } from '../tolerance.js'
import { drawIntegers, drawNormal, given, givenIntegers } from '../values.js'

const permutations: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [[5], [0]],
  [
    [3, 5],
    [0, 1],
  ],
  [
    [3, 5],
    [1, 0],
  ],
  [
    [33, 65],
    [1, 0],
  ],
  [
    [2, 3, 5],
    [2, 0, 1],
  ],
  [
    [2, 3, 5],
    [1, 2, 0],
  ],
  [
    [2, 3, 4, 5],
    [0, 2, 1, 3],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 0, 2],
  ],
  [
    [2, 3, 3, 4, 5],
    [2, 0, 3, 1, 4],
  ],
  [
    [2, 3, 1, 4, 2],
    [4, 2, 0, 3, 1],
  ],
  [
    [2, 3, 2, 4, 2, 3],
    [0, 5, 1, 3, 2, 4],
  ],
  [
    [2, 3, 2, 4, 2, 3],
    [5, 3, 1, 4, 2, 0],
  ],
]

export function layoutCases({ define }: CaseContext): ConformanceCase[] {
  const cases: ConformanceCase[] = []
  for (const [shape, axes] of permutations) {
    const of = `${formatShape(shape)} by ${formatShape(axes)}`
    cases.push(
      define('layout', `permute of ${of}`, async (backend) => {
        await compareExactly(backend, { x: drawNormal(of, shape) }, ({ x }) => permute(x, axes), ['x'])
        return compareExactly(backend, { x: drawIntegers(of, shape, 1 << 30) }, ({ x }) => permute(x, axes))
      }),
    )
  }
  const shape = [2, 3, 4, 5, 3]
  for (const axis of [0, 1, 2, 3, 4, -1]) {
    const extent = shape.at(axis)!
    const across = `axis ${axis}`
    cases.push(
      define('layout', `slice on ${across}`, async (backend) => {
        for (const [start, size] of [
          [0, extent],
          [0, 1],
          [1, extent - 1],
          [1, 1],
          [extent - 1, 1],
        ]) {
          const run = { x: drawNormal(across, shape) }
          await compareExactly(backend, run, ({ x }) => slice(x, axis, start, size), ['x'])
        }
        return compareExactly(backend, { x: drawIntegers(across, shape, 1 << 30) }, ({ x }) =>
          slice(x, axis, 1, extent - 1),
        )
      }),
      define('layout', `concat on ${across}`, async (backend) => {
        const at = axis < 0 ? axis + shape.length : axis
        const [a, b, c] = [1, extent, 2].map((size) => drawNormal(`${across} ${size}`, shape.with(at, size)))
        await compareExactly(backend, { a, b, c }, ({ a, b, c }) => concat([a, b, c], axis), ['a', 'b', 'c'])
        await compareExactly(backend, { a }, ({ a }) => concat([a], axis), ['a'])
        const whole = drawIntegers(across, shape, 1 << 30)
        return compareExactly(backend, { whole }, ({ whole }) => concat([whole, whole], axis))
      }),
    )
  }
  for (const [width, count] of [
    [6, 6],
    [6, 3],
    [6, 1],
    [30, 2],
  ]) {
    for (let part = 0; part < count; part++) {
      cases.push(
        define('layout', `chunk ${part} of ${count} of [2, 3, ${width}], the others unused`, (backend) =>
          compareExactly(backend, { x: drawNormal('chunk', [2, 3, width]) }, ({ x }) => chunk(x, count)[part], ['x']),
        ),
      )
    }
  }
  cases.push(
    define('layout', 'chunk, parts joined in another order', (backend) =>
      compareExactly(
        backend,
        { x: drawNormal('chunks', [3, 12]) },
        ({ x }) => {
          const [a, b, c] = chunk(x, 3)
          return concat([c, a, b], 1)
        },
        ['x'],
      ),
    ),
    define('layout', 'reshape, also of what a kernel made', async (backend) => {
      const x = drawNormal('reshape', [2, 3, 4])
      await compareExactly(backend, { x }, ({ x }) => reshape(x, [4, -1]), ['x'])
      await compareExactly(backend, { x }, ({ x }) => reshape(permute(x, [2, 0, 1]), [24]), ['x'])
      await compareExactly(backend, { x }, ({ x }) => permute(reshape(x, [6, 4]), [1, 0]), ['x'])
      return compareExactly(backend, { x: given([3], [1, 1]) }, ({ x }) => reshape(x, []), ['x'])
    }),
    define('layout', 'gather and its gradient, rows repeated and left out', (backend, factor) =>
      compare(
        backend,
        {
          inputs: { table: drawNormal('table', [7, 5]), indices: givenIntegers([3, 0, 3, 6, 3, 0]) },
          run: ({ table, indices }) => gather(table, indices),
          forward: exact,
          backward: { table: terms(3) },
        },
        factor,
      ),
    ),
    define('layout', 'gather of one row, of one column', async (backend) => {
      const [row, column] = [drawNormal('row', [1, 9]), drawNormal('column', [9, 1])]
      await compareExactly(backend, { row, i: givenIntegers([0]) }, ({ row, i }) => gather(row, i), ['row'])
      return compareExactly(backend, { column, i: givenIntegers([8, 0, 4]) }, ({ column, i }) => gather(column, i), [
        'column',
      ])
    }),
    define('layout', 'gather of many rows', (backend, factor) =>
      compare(
        backend,
        {
          inputs: { table: drawNormal('many', [11, 33]), indices: drawIntegers('many', [700], 11) },
          run: ({ table, indices }) => gather(table, indices),
          forward: exact,
          backward: { table: terms(700) },
        },
        factor,
      ),
    ),
    define('layout', 'cast between float and i32: towards zero, and back', async (backend) => {
      await compareExactly(backend, { x: given([0, 1, -1, 2.9, -2.9, 0.5, -0.5, 1e6]) }, ({ x }) => cast(x, 'i32'))
      return compareExactly(backend, { x: givenIntegers([0, 1, -1, 16777216, -5]) }, ({ x }) =>
        cast(x, x.backend.float),
      )
    }),
    define('layout', 'cast to the same type copies and passes the gradient on', (backend) =>
      compareExactly(backend, { x: drawNormal('cast', [3, 5]) }, ({ x }) => cast(x, x.dtype), ['x']),
    ),
    define('layout', 'a tensor used under several shapes', (backend, factor) =>
      compare(
        backend,
        {
          inputs: { x: drawNormal('shapes', [4, 6]) },
          run: ({ x }) => add(reshape(permute(x, [1, 0]), [4, 6]), add(x, reshape(reshape(x, [24]), [4, 6]))),
          forward: terms(3),
          backward: { x: terms(3) },
        },
        factor,
      ),
    ),
  )
  return cases
}
