import type { Backend, View } from '../../backend.js'
import type { TensorData } from '../../dtype.js'
import { add, mul } from '../../ops/binary.js'
import { tensor } from '../../ops/create.js'
import { fill } from '../../ops/in-place.js'
import { linear } from '../../ops/linear.js'
import { matmul } from '../../ops/matmul.js'
import { mean, sum } from '../../ops/reduce.js'
import { permute } from '../../ops/shape.js'
import { softmax } from '../../ops/softmax.js'
import { gelu } from '../../ops/unary.js'
import { valueAndGrad } from '../../autograd/value-and-grad.js'
import { allocateFlat, disposeFlat, flatLayout, type FlatParams, flatten } from '../../parameters/flat.js'
import { reference } from '../../reference/backend.js'
import { dispose, scope } from '../../scope.js'
import type { Tensor } from '../../tensor.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { checkValues, largest, operandRounding, terms } from '../tolerance.js'
import { drawNormal } from '../values.js'

const shapes = { small: [1], weight: [5, 7], bias: [5], wide: [3, 70], scalar: [], last: [2, 3] }

/**
 * Parameters in flat segments: tensors that begin somewhere within a buffer, or have one each where the backend has no views.
 */
export function viewCases({ define, operands }: CaseContext): ConformanceCase[] {
  return [
    define('views', 'flat parameters hold what was put in, and their neighbours stay as they are', async (backend) => {
      for (const name of Object.keys(shapes)) {
        const [got, want] = [await withOneFilled(backend, name), await withOneFilled(reference(), name)]
        for (const each of Object.keys(shapes)) {
          checkValues(
            backend,
            { what: each, shape: [got[each].length], got: got[each], want: want[each] },
            { kind: 'exact' },
            1,
          )
        }
      }
      return 0
    }),
    define('views', 'kernels read from the middle of a segment and add gradients into one', async (backend, factor) => {
      const [got, want] = [await trained(backend), await trained(reference())]
      let worst = 0
      for (const [what, values] of Object.entries(want)) {
        // Of the linear layer: four products, each of two rounded operands.
        const rounding = 4 * 2 * operandRounding(operands) * largest(values)
        const measured = { what, shape: [values.length], got: got[what], want: values, operands, rounding }
        worst = Math.max(worst, checkValues(backend, measured, terms(256), factor))
      }
      return worst
    }),
    define('views', 'a whole segment is a tensor of its own', async (backend) => {
      const layout = flatLayout(shapes, backend)
      const flat = allocateFlat(layout, backend)
      for (const segment of flat.segments) fill(segment, 3)
      for (const [name, parameter] of Object.entries(flat.params)) {
        const data = await parameter.data()
        checkValues(
          backend,
          { what: name, shape: [data.length], got: data, want: data.map(() => 3) },
          { kind: 'exact' },
          1,
        )
      }
      disposeFlat(flat)
      return 0
    }),
    define('views', 'kernels write to the middle of a buffer and nowhere else', async (backend) => {
      if (!backend.supportsViews) return 0
      const { kernels } = backend
      const layout = flatLayout({ before: [64], out: [3, 5], after: [64] }, backend)
      const flat = allocateFlat(layout, backend)
      const [x, y] = [drawNormal('view x', [3, 5]), drawNormal('view y', [5, 3])].map(({ data, shape }) =>
        tensor(data, shape, { backend }),
      )
      const { out } = flat.params
      const square = tensor(drawNormal('view square', [3, 3]).data, [3, 3], { backend })
      const writers: Record<string, () => void> = {
        copy: () => kernels.copy(x, out),
        unary: () => kernels.unary('gelu', x, out),
        unaryBackward: () => kernels.unaryBackward('gelu', x, x, out),
        affine: () => kernels.affine(x, 2, 1, out),
        binary: () => kernels.binary('add', x, x, out),
        select: () => kernels.select(x, x, x, out),
        matmul: () => kernels.matmul(cube(square), cube(x), false, false, cube(out)),
        permute: () => kernels.permute(y, [1, 0], out),
        slice: () => kernels.slice(x, [0, 0], out),
        concat: () => kernels.concat([x], 0, out),
        softmax: () => kernels.softmax(x, out),
        softmaxBackward: () => kernels.softmaxBackward(x, x, out),
        accumulate: () => kernels.accumulate(out, x, 2),
        fill: () => kernels.fill(out, 5),
      }
      for (const [name, write] of Object.entries(writers)) {
        for (const segment of flat.segments) fill(segment, 0)
        write()
        await expectOnlyOutWritten(name, flat)
      }
      disposeFlat(flat)
      dispose([x, y, square])
      return 0
    }),
  ]
}

/** One matrix as a batch of one. */
function cube({ buffer, byteOffset, dtype, shape }: View): View {
  return { buffer, byteOffset, dtype, shape: [1, ...shape] }
}

async function expectOnlyOutWritten(kernel: string, { layout, segments, params }: FlatParams): Promise<void> {
  const { segment, offset } = layout.entries.find(({ name }) => name === 'out')!
  const data = await segments[segment].data()
  const outside = data.findIndex((value, i) => value !== 0 && (i < offset || i >= offset + params.out.size))
  if (outside >= 0) {
    throw new Error(
      `${kernel} wrote element ${outside} of a buffer; its output is elements ${offset} to ${offset + params.out.size - 1}`,
    )
  }
  if (data.every((value) => value === 0)) throw new Error(`${kernel} did not write to its output`)
}

async function withOneFilled(backend: Backend, name: string): Promise<Record<string, TensorData>> {
  const source = makeParameters(backend)
  const flat = flatten(source, flatLayout(shapes, backend), backend)
  fill(flat.params[name], -1)
  const values = await allData(flat.params)
  disposeFlat(flat)
  dispose(source)
  return values
}

/** Gradients over what was there before, and added to once more, everything in flat segments. */
async function trained(backend: Backend): Promise<Record<string, TensorData>> {
  const source = makeParameters(backend)
  const layout = flatLayout(shapes, backend)
  const flat = flatten(source, layout, backend)
  const gradients = allocateFlat(layout, backend)
  const x = tensor(drawNormal('flat x', [4, 7]).data, [4, 7], { backend })
  for (const segment of gradients.segments) fill(segment, 7)
  for (const overwrite of [true, false]) {
    scope(() => {
      valueAndGrad(
        flat.params,
        ({ weight, bias, wide, small, last, scalar }) => {
          const hidden = gelu(linear(x, weight, bias)) // [4, 5]
          const mixed = mul(softmax(matmul(wide, wide, { transposeB: true })), small) // [3, 3]
          const parts = [mean(hidden), sum(mixed), sum(matmul(last, permute(last, [1, 0]))), mul(scalar, scalar)]
          return { loss: parts.reduce(add) }
        },
        { into: gradients.params, overwrite },
      )
    })
  }
  const values = await allData(gradients.params)
  disposeFlat(flat)
  disposeFlat(gradients)
  dispose([source, x])
  return values
}

function makeParameters(backend: Backend): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      tensor(drawNormal(`flat ${name}`, shape).data, shape, { backend }),
    ]),
  )
}

async function allData(tensors: Readonly<Record<string, Tensor>>): Promise<Record<string, TensorData>> {
  const values: Record<string, TensorData> = {}
  for (const [name, each] of Object.entries(tensors)) values[name] = await each.data()
  return values
}
