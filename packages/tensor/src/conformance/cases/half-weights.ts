import { Tape, withRecorder } from '../../autograd/tape.js'
import type { Backend } from '../../backend.js'
import { add, where } from '../../ops/binary.js'
import { full, tensor } from '../../ops/create.js'
import { gatedResidual } from '../../ops/gated-residual.js'
import { gather } from '../../ops/gather.js'
import { assign, fill } from '../../ops/in-place.js'
import { linear } from '../../ops/linear.js'
import { matmul } from '../../ops/matmul.js'
import { sum } from '../../ops/reduce.js'
import { concat, permute, reshape, slice } from '../../ops/shape.js'
import { cast, exp } from '../../ops/unary.js'
import { reference } from '../../reference/backend.js'
import { dispose, scope } from '../../scope.js'
import { sizeOf } from '../../shape.js'
import { empty } from '../../tensor.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { type Comparison, compare } from '../compare.js'
import { expectError } from '../expect-error.js'
import { terms } from '../tolerance.js'
import { drawHalf, drawNormal, type HalfDType } from '../values.js'

/** Weights that lie in half precision on the engine. A backend without such a dtype must refuse it. */
export function halfWeightCases(context: CaseContext): ConformanceCase[] {
  return (['f16', 'bf16'] as const).flatMap((dtype) => [
    ...storageCases(context, dtype),
    ...productCases(context, dtype),
    numbersCase(context, dtype),
  ])
}

function storageCases({ define }: CaseContext, dtype: HalfDType): ConformanceCase[] {
  return [
    define('values', `patterns of ${dtype} come back as they were, an odd number of them too`, async (backend) => {
      if (!backend.dtypes.includes(dtype)) {
        return expectError(() => tensor(Uint16Array.of(0), [1], { backend, dtype }), TypeError, backend.name)
      }
      for (const count of [1, 2, 3, 8191]) {
        const bits = Uint16Array.from({ length: count }, (_, i) => (i * 0x9e37 + 1) & 0xffff)
        const before = backend.memory().bytes
        const x = tensor(bits, [count], { backend, dtype })
        const taken = backend.memory().bytes - before
        const got = await x.data()
        x.dispose()
        const at = bits.findIndex((pattern, i) => got[i] !== pattern)
        if (at >= 0 || got.length !== count) {
          throw new Error(`${count} patterns: number ${at} is ${got[at]}, expected ${bits[at]} (got ${got.length})`)
        }
        if (count > 1000 && taken > 3 * count) throw new Error(`${count} patterns take ${taken} bytes of memory()`)
      }
      return 0
    }),
    define('values', `${dtype} is refused but as the weight of linear, and there by gradients`, async (backend) => {
      if (!backend.dtypes.includes(dtype)) return 0
      const half = tensor(new Uint16Array(4), [2, 2], { backend, dtype })
      const row = tensor(new Uint16Array(2), [2], { backend, dtype })
      const x = tensor([1, 2, 3, 4], [2, 2], { backend })
      const i = tensor(Int32Array.of(0, 1), [2], { backend })
      const refused: Record<string, () => unknown> = {
        add: () => add(half, x),
        'add of two': () => add(half, half),
        exp: () => exp(half),
        sum: () => sum(half),
        where: () => where(half, x, x),
        matmul: () => matmul(x, half),
        'matmul of two': () => matmul(half, half),
        gather: () => gather(half, i),
        permute: () => permute(half, [1, 0]),
        slice: () => slice(half, 0, 0, 1),
        concat: () => concat([half, half], 0),
        'cast from': () => cast(half, backend.float),
        'cast to': () => cast(x, dtype),
        full: () => full([2], 0, { backend, dtype }),
        empty: () => empty(backend, [2], dtype),
        fill: () => fill(half, 0),
        assign: () => assign(x, half),
        'numbers for patterns': () => tensor([1], [1], { backend, dtype }),
        'linear as x': () => linear(half, x, null),
        'linear as bias': () => linear(x, x, row),
      }
      try {
        for (const attempt of Object.values(refused)) scope(() => expectError(attempt, TypeError, dtype))
        for (const leaf of [x, half]) {
          const tape = new Tape([leaf])
          const attempt = () => withRecorder(tape, () => linear(x, half, null))
          expectError(attempt, TypeError, `a weight in ${dtype} is for inference`)
          tape.release()
        }
        return 0
      } finally {
        dispose([half, row, x, i])
      }
    }),
  ]
}

function productCases({ define, operands }: CaseContext, dtype: HalfDType): ConformanceCase[] {
  const sizes: readonly (readonly [rows: readonly number[], K: number, O: number])[] = [
    [[1], 1, 1],
    [[3], 5, 7],
    [[4], 6, 3],
    [[2, 9], 8, 12],
    [[17], 33, 65],
    [[130], 72, 129],
    [[1], 5000, 3],
  ]
  return sizes.map(([rows, K, O]) => {
    const claim = `weight in ${dtype}, [${[...rows, K].join(', ')}] to ${O}`
    const M = sizeOf(rows)
    const inputs = {
      x: drawNormal(`x ${claim}`, [...rows, K]),
      weight: drawHalf(`weight ${claim}`, [O, K], dtype, 2 / Math.sqrt(K)),
      bias: drawNormal(`bias ${claim}`, [O]),
      tokens: drawNormal(`tokens ${claim}`, [1, M, O]),
      gate: drawNormal(`gate ${claim}`, [1, O]),
    }
    const variants: Record<string, Comparison['run']> = {
      'without bias': ({ x, weight }) => linear(x, weight, null),
      gelu: ({ x, weight, bias }) => linear(x, weight, bias, { activation: 'gelu' }),
      silu: ({ x, weight, bias }) => linear(x, weight, bias, { activation: 'silu' }),
      'under a gate': ({ x, weight, bias, tokens, gate }) =>
        gatedResidual(tokens, gate, linear(reshape(x, [1, M, K]), weight, bias)),
    }
    return define('linear', claim, async (backend, factor) => {
      if (!backend.dtypes.includes(dtype)) return 0
      let worst = 0
      for (const [variant, run] of Object.entries(variants)) {
        try {
          worst = Math.max(worst, await compare(backend, { inputs, run, operands, forward: terms(K) }, factor))
        } catch (error) {
          throw new Error(`${variant}: ${(error as Error).message}`, { cause: error })
        }
      }
      return worst
    })
  })
}

/**
 * Every finite number, read exactly: products of one term, and of four of which three are zero. Subnormal numbers may be taken for
 * zero. Where operands are rounded to f16, those that f16 does not hold are skipped above its range and rounded below.
 */
function numbersCase({ define, operands }: CaseContext, dtype: HalfDType): ConformanceCase {
  return define('linear', `weight in ${dtype}, every number of it`, async (backend) => {
    if (!backend.dtypes.includes(dtype)) return 0
    const exponents = dtype === 'f16' ? 0x7c00 : 0x7f80
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => ((bits & exponents) === exponents ? 0 : bits))
    const smallest = dtype === 'f16' || operands === 'f16' ? 2 ** -14 : 2 ** -126
    const largest = operands === 'f16' ? 65504 : Infinity
    for (const K of [1, 4]) {
      const identity = Array.from({ length: K * K }, (_, i) => (i % (K + 1) === 0 ? 1 : 0))
      const read = async (on: Backend) => {
        const x = tensor(identity, [K, K], { backend: on })
        const weight = tensor(all, [all.length / K, K], { backend: on, dtype })
        const out = linear(x, weight, null)
        const values = await out.data()
        dispose([x, weight, out])
        return values
      }
      const [got, want] = [await read(backend), await read(reference())]
      for (let i = 0; i < want.length; i++) {
        const size = Math.abs(want[i])
        if (size > largest || got[i] === want[i] || (size < smallest && got[i] === 0)) continue
        if (operands === 'f16' && size < smallest && Math.abs(got[i] - want[i]) <= 2 ** -25) continue
        throw new Error(`K = ${K}: number ${i} of the result is ${got[i]}, expected ${want[i]}`)
      }
    }
    return 0
  })
}
