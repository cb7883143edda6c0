import { stopGradient, Tape, withRecorder } from '../autograd/tape.js'
import type { Backend } from '../backend.js'
import type { TensorData } from '../dtype.js'
import { tensor } from '../ops/create.js'
import { reference } from '../reference/backend.js'
import { scope } from '../scope.js'
import { formatShape, sameShape, type Shape, sizeOf } from '../shape.js'
import type { Tensor } from '../tensor.js'
import { poisoned } from './poison.js'
import {
  checkValues,
  distance,
  epsilonOf,
  exact,
  largest,
  operandRounding,
  type Operands,
  type Tolerance,
} from './tolerance.js'
import { drawNormal, type Input } from './values.js'

/** A function of tensors to be run on a backend and on `reference`. */
export interface Comparison {
  readonly inputs: Readonly<Record<string, Input>>
  /** Made of the public ops, so that they choose between fused and composed kernels as users see them. */
  readonly run: (tensors: Readonly<Record<string, Tensor>>) => Tensor
  readonly forward: Tolerance
  /** By input; those without one have no gradient or are not asked for it. */
  readonly backward?: Readonly<Record<string, Tolerance>>
  /** Gradient of the result; standard normal by default. */
  readonly cotangent?: (shape: Shape) => Input
  /** What operands of products are rounded to, if they are. */
  readonly operands?: Operands | undefined
}

interface Outcome {
  readonly shape: Shape
  readonly out: TensorData
  readonly gradients: Readonly<Record<string, TensorData | null>>
}

/**
 * Runs a comparison: forward alone, then forward and backward with poisoned outputs.
 *
 * @returns the largest error over its tolerance
 * @throws Error naming the result or the gradient that is wrong
 */
export async function compare(backend: Backend, comparison: Comparison, factor: number): Promise<number> {
  const { forward, backward = {}, operands } = comparison
  const want = await evaluate(reference(), comparison)
  const moved =
    forward.kind === 'terms' || Object.values(backward).some(({ kind }) => kind === 'terms')
      ? await evaluateMoved(comparison, epsilonOf(backend))
      : []
  const unit = operandRounding(operands)
  const rounded = unit > 0 ? await evaluateMoved(comparison, unit) : null
  const check = (
    what: string,
    shape: Shape,
    pick: (outcome: Outcome) => TensorData,
    got: TensorData,
    by: Tolerance,
  ) => {
    const farthest = (outcomes: readonly Outcome[]) =>
      Math.max(0, ...outcomes.map((outcome) => distance(pick(outcome), pick(want))))
    const rounding = rounded === null ? 0 : 2 * (farthest(rounded) + unit * largest(pick(want)))
    const measured = { what, shape, got, want: pick(want), movement: farthest(moved), operands, rounding }
    return checkValues(backend, measured, by, factor)
  }

  const plain = await evaluate(backend, { ...comparison, backward: {} })
  checkShape('out', plain.shape, want.shape)
  let worst = check('out', want.shape, ({ out }) => out, plain.out, forward)
  const taped = await evaluate(poisoned(backend), comparison)
  worst = Math.max(
    worst,
    check('out (recorded, into memory full of other values)', want.shape, ({ out }) => out, taped.out, forward),
  )
  for (const [name, tolerance] of Object.entries(backward)) {
    const gradient = taped.gradients[name]
    if (gradient === null) throw new Error(`gradient of ${name} is missing`)
    const { shape } = comparison.inputs[name]
    const pick = ({ gradients }: Outcome) => gradients[name]!
    worst = Math.max(worst, check(`gradient of ${name}`, shape, pick, gradient, tolerance))
  }
  return worst
}

/** Both ends exact. */
export function compareExactly(
  backend: Backend,
  inputs: Comparison['inputs'],
  run: Comparison['run'],
  differentiate: readonly string[] = [],
): Promise<number> {
  const backward = Object.fromEntries(differentiate.map((name) => [name, exact]))
  return compare(backend, { inputs, run, forward: exact, backward }, 1)
}

async function evaluate(
  backend: Backend,
  comparison: Comparison,
  move = (data: Input['data']): ArrayLike<number> => data,
) {
  const { inputs, run, backward = {}, cotangent = (shape) => drawNormal('cotangent', shape) } = comparison
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape, dtype }]) => {
      const plain = data instanceof Int32Array ? 'i32' : backend.float
      return [name, tensor(move(data), shape, { backend, dtype: dtype ?? plain })]
    }),
  )
  const leaves = Object.keys(backward)
  const owned: Tensor[] = Object.values(tensors)
  try {
    const tape = new Tape(leaves.map((name) => tensors[name]))
    const gradients = new Map<Tensor, Tensor>()
    let out: Tensor
    try {
      const record = <T>(fn: () => T) => (leaves.length > 0 ? withRecorder(tape, fn) : stopGradient(fn))
      out = record(() => scope(() => run(tensors)))
      owned.push(out)
      if (leaves.length > 0) {
        const seed = tensor(move(cotangent(out.shape).data), out.shape, { backend, dtype: out.dtype })
        owned.push(seed)
        tape.backward(out, seed, (leaf, gradient) => {
          owned.push(gradient)
          gradients.set(leaf, gradient)
        })
      }
    } finally {
      tape.release()
    }
    return await downloaded(out, Object.fromEntries(leaves.map((name) => [name, gradients.get(tensors[name]) ?? null])))
  } finally {
    for (const each of owned) each.dispose()
  }
}

async function downloaded(out: Tensor, gradients: Readonly<Record<string, Tensor | null>>): Promise<Outcome> {
  const values: Record<string, TensorData | null> = {}
  for (const [name, gradient] of Object.entries(gradients)) values[name] = (await gradient?.data()) ?? null
  return { shape: out.shape, out: await out.data(), gradients: values }
}

/** On `reference`, with every input in full precision moved up or down by `eps` of itself: two draws of the directions. */
function evaluateMoved(comparison: Comparison, eps: number): Promise<Outcome[]> {
  return Promise.all(
    [1, 2].map((draw) => {
      let calls = 0
      return evaluate(reference(), comparison, (data) => {
        if (!(data instanceof Float32Array)) return data
        const signs = drawNormal(`signs ${draw} ${calls++}`, [data.length]).data
        return Float64Array.from(data, (value, i) => value * (1 + eps * Math.sign(signs[i])))
      })
    }),
  )
}

function checkShape(what: string, got: Shape, want: Shape): void {
  if (!sameShape(got, want)) {
    throw new Error(`${what} has shape ${formatShape(got)}, expected ${formatShape(want)} (${sizeOf(want)} values)`)
  }
}
