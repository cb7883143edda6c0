import type { UnaryOp } from '../../backend.js'
import {
  abs,
  affine,
  cos,
  exp,
  gelu,
  log,
  neg,
  relu,
  relu6,
  sigmoid,
  silu,
  sin,
  sqrt,
  square,
  tanh,
} from '../../ops/unary.js'
import type { Tensor } from '../../tensor.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { compare } from '../compare.js'
import { roundings, type Tolerance } from '../tolerance.js'
import { drawUniform, given, type Input } from '../values.js'

interface UnaryClaim {
  readonly run: (x: Tensor) => Tensor
  readonly low: number
  readonly high: number
  /** Ends and other values where a careless formula breaks. */
  readonly special: readonly number[]
  /** Error of the function in eps, as an absolute number. */
  readonly forward: (x: number, y: number) => number
  /** Error of the derivative in eps. */
  readonly derivative: (x: number) => number
}

const around = [0, 1e-6, -1e-6, 1e-3, -1e-3, 0.5, -0.5, 1, -1, 3, -3, 8, -8, 50, -50]
const positive = [1e-30, 1e-6, 0.25, 1, 1.0009765625, 2, 1e4, 1e30]

// The bounds: a library function is taken to be within 4 eps of its value; tanh and the sigmoid within 4 of 1, because
// they may be formed as 1 - 2 / (e^2x + 1). A sum or product adds one each, of the size of its parts.
const claims: Record<UnaryOp, UnaryClaim> = {
  exp: {
    run: exp,
    low: -10,
    high: 10,
    // 88.5 is near the largest argument that float32 can hold the result of; at -87 the result is still normal.
    special: [0, 1, -1, 1e-6, 20, -20, 50, -50, 88.5, -87, -104, -1000],
    forward: (_, y) => 4 * y,
    derivative: (x) => 4 * Math.exp(x),
  },
  log: {
    run: log,
    low: 0.1,
    high: 10,
    special: positive,
    forward: (_, y) => 4 * Math.max(Math.abs(y), 0.5),
    derivative: (x) => 3 / x,
  },
  sqrt: {
    run: sqrt,
    low: 0.01,
    high: 10,
    special: positive,
    forward: (_, y) => 3 * y,
    derivative: (x) => 4 / Math.sqrt(x),
  },
  square: {
    run: square,
    low: -4,
    high: 4,
    special: [0, 1e-10, -1e-10, 1e15, -1e15],
    forward: (_, y) => 2 * y,
    derivative: (x) => 3 * Math.abs(x),
  },
  abs: { run: abs, low: -4, high: 4, special: [0, 1e-30, -1e-30, 1e30, -1e30], forward: () => 0, derivative: () => 0 },
  tanh: { run: tanh, low: -4, high: 4, special: around, forward: () => 5, derivative: () => 12 },
  sigmoid: { run: sigmoid, low: -6, high: 6, special: around, forward: () => 5, derivative: () => 12 },
  silu: {
    run: silu,
    low: -6,
    high: 6,
    special: around,
    forward: (x) => 6 * Math.abs(x),
    derivative: (x) => 8 * (1 + Math.abs(x)),
  },
  gelu: {
    run: gelu,
    low: -6,
    high: 6,
    special: around,
    forward: (x) => 8 * Math.abs(x),
    // Beyond 7 tanh is 1 in float32, and the second term is gone.
    derivative: (x) => 8 * (Math.abs(x) < 7 ? 1 + 0.4 * Math.abs(x) * (1 + 0.134 * x * x) : 1),
  },
  sin: { run: sin, low: -10, high: 10, special: [0, 1e-6, Math.PI, 3, -3], forward: () => 4, derivative: () => 4 },
  cos: { run: cos, low: -10, high: 10, special: [0, 1e-6, Math.PI, 3, -3], forward: () => 4, derivative: () => 4 },
  relu: {
    run: relu,
    low: -4,
    high: 4,
    special: [0, 1e-30, -1e-30, 1e30, -1e30],
    forward: () => 0,
    derivative: () => 0,
  },
  relu6: {
    run: relu6,
    low: -4,
    high: 10,
    special: [0, 1e-30, -1e-30, 5.999, 6, 6.001, 1e30, -1e30],
    forward: () => 0,
    derivative: () => 0,
  },
}

export function unaryCases({ define }: CaseContext): ConformanceCase[] {
  const cases: ConformanceCase[] = []
  for (const [op, claim] of Object.entries(claims)) {
    for (const shape of [[1], [3, 5, 7], [2, 5000]]) {
      cases.push(
        define('unary', `${op} of [${shape.join(', ')}]`, (backend, factor) =>
          compare(backend, comparison(claim, drawUniform(`${op} ${shape}`, shape, claim.low, claim.high)), factor),
        ),
      )
    }
    cases.push(
      define(
        'unary',
        `${op} at ${claim.special.map((x) => Math.fround(x).toPrecision(3)).join(' ')}`,
        (backend, factor) => compare(backend, comparison(claim, given(claim.special)), factor),
      ),
    )
  }
  cases.push(
    define('unary', 'affine and neg', (backend, factor) =>
      compare(
        backend,
        {
          inputs: { x: drawUniform('affine', [3, 7, 11], -2, 2) },
          run: ({ x }) => neg(affine(x, 0.75, -3)),
          // Product and sum, each rounded to parts of at most 1.5 and 4.5.
          forward: { kind: 'eps', eps: () => 6 },
          backward: { x: roundings(1) },
        },
        factor,
      ),
    ),
  )
  return cases
}

function comparison({ run, forward, derivative }: UnaryClaim, x: Input) {
  const cotangent = drawUniform('unary cotangent', x.shape, -1, 1)
  const backward: Tolerance = {
    kind: 'eps',
    eps: (i, want) => Math.abs(want) + Math.abs(cotangent.data[i]) * derivative(x.data[i]),
  }
  return {
    inputs: { x },
    run: (tensors: Readonly<Record<string, Tensor>>) => run(tensors.x),
    forward: { kind: 'eps', eps: (i: number, want: number) => forward(x.data[i], Math.abs(want)) } as const,
    backward: { x: backward },
    cotangent: () => cotangent,
  }
}
