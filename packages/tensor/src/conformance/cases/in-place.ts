import type { Backend, BinaryOp, UnaryOp } from '../../backend.js'
import { tensor } from '../../ops/create.js'
import { accumulate, assign, fill } from '../../ops/in-place.js'
import { reference } from '../../reference/backend.js'
import { scope } from '../../scope.js'
import type { Tensor } from '../../tensor.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { checkValues, roundings, type Tolerance } from '../tolerance.js'
import { drawUniform, type Input } from '../values.js'

type InPlace = (tensors: Readonly<Record<string, Tensor>>) => Tensor

/** Kernels that change a tensor, or write to the memory that they read. */
export function inPlaceCases({ define }: CaseContext): ConformanceCase[] {
  const x = drawUniform('in place x', [3, 5, 7], 0.5, 2)
  const y = drawUniform('in place y', [3, 5, 7], -2, 2)
  const make = (claim: string, inputs: Readonly<Record<string, Input>>, run: InPlace, tolerance: Tolerance) =>
    define('in place', claim, (backend, factor) => compareInPlace(backend, inputs, run, tolerance, factor))

  // Product and sum of numbers up to 6, each rounded once.
  const sums: Tolerance = { kind: 'eps', eps: () => 9 }
  return [
    make('accumulate', { x, y }, ({ x, y }) => (accumulate(x, y), x), sums),
    make(
      'accumulate three times, scaled',
      { x, y },
      ({ x, y }) => {
        for (const scale of [0.5, -2, 1]) accumulate(x, y, scale)
        return x
      },
      { kind: 'eps', eps: () => 27 },
    ),
    make(
      'accumulate leaves the tensor that is added as it was',
      { x, y },
      ({ x, y }) => (accumulate(x, y, 3), y),
      exactly,
    ),
    make('fill', { x }, ({ x }) => (fill(x, -2.5), x), exactly),
    make('fill of i32', { i: { shape: [9], data: new Int32Array(9) } }, ({ i }) => (fill(i, -7), i), exactly),
    make('assign', { x, y }, ({ x, y }) => (assign(x, y), x), exactly),
    make(
      'assign between shapes of one size',
      { x: { ...x, shape: [105] }, y },
      ({ x, y }) => (assign(x, y), x),
      exactly,
    ),
    make(
      'assign copies: later changes of the source do not show',
      { x, y },
      ({ x, y }) => {
        assign(x, y)
        fill(y, 0)
        return x
      },
      exactly,
    ),
    make(
      'affine into its input',
      { x },
      ({ x }) => {
        x.backend.kernels.affine(x, -0.5, 3, x)
        return x
      },
      sums,
    ),
    make(
      'affine by 0 clears',
      { x },
      ({ x }) => {
        x.backend.kernels.affine(x, 0, 0, x)
        return x
      },
      exactly,
    ),
    ...(['square', 'sqrt', 'gelu'] satisfies UnaryOp[]).map((op) =>
      make(
        `${op} into its input`,
        { x },
        ({ x }) => {
          x.backend.kernels.unary(op, x, x)
          return x
        },
        roundings(16),
      ),
    ),
    ...(['dy', 'x'] as const).map((target) =>
      make(
        `gradient of silu into ${target}`,
        { x, dy: y },
        (tensors) => {
          tensors.x.backend.kernels.unaryBackward('silu', tensors.x, tensors.dy, tensors[target])
          return tensors[target]
        },
        { kind: 'eps', eps: () => 48 },
      ),
    ),
    ...(['add', 'mul', 'maximum'] satisfies BinaryOp[]).flatMap((op) =>
      (['x', 'y'] as const).map((target) =>
        make(
          `${op} into ${target === 'x' ? 'its first' : 'its second'} operand`,
          { x, y },
          (tensors) => {
            tensors.x.backend.kernels.binary(op, tensors.x, tensors.y, tensors[target])
            return tensors[target]
          },
          { kind: 'eps', eps: () => 4 },
        ),
      ),
    ),
    make(
      'mul by a stretched operand into the other',
      { x, row: drawUniform('row', [7], -1, 1) },
      ({ x, row }) => {
        x.backend.kernels.binary('mul', x, row, x)
        return x
      },
      roundings(1),
    ),
    make(
      'select into a branch',
      { x, y },
      ({ x, y }) => {
        x.backend.kernels.select(y, x, y, x)
        return x
      },
      exactly,
    ),
  ]
}

const exactly: Tolerance = { kind: 'exact' }

/** Runs on the backend and on `reference`, and compares what is returned. */
export async function compareInPlace(
  backend: Backend,
  inputs: Readonly<Record<string, Input>>,
  run: InPlace,
  tolerance: Tolerance,
  factor: number,
): Promise<number> {
  const [got, want] = [await runInPlace(backend, inputs, run), await runInPlace(reference(), inputs, run)]
  return checkValues(backend, { what: 'result', shape: got.shape, got: got.data, want: want.data }, tolerance, factor)
}

async function runInPlace(backend: Backend, inputs: Readonly<Record<string, Input>>, run: InPlace) {
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape }]) => [name, tensor(data, shape, { backend })]),
  )
  const result = scope(() => run(tensors))
  try {
    return { shape: result.shape, data: await result.data() }
  } finally {
    for (const each of [...Object.values(tensors), result]) each.dispose()
  }
}
