import { expect, test } from 'vitest'
import { isCaught, floats, mapOutput, mutant, type Mutation, view } from './mutant.js'

const mutations: Mutation[] = [
  {
    what: 'gelu with another constant (0.0447)',
    filter: /^unary: gelu/,
    mutate: (k) => ({
      unary(op, x, out) {
        k.unary(op, x, out)
        if (op === 'gelu') {
          floats(out).set(
            floats(x).map((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.0447 * v ** 3)))),
          )
        }
      },
    }),
  },
  {
    what: 'silu whose gradient forgets the product rule',
    filter: /^unary: silu/,
    mutate: (k) => ({
      unaryBackward: (op, x, dy, dx) => k.unaryBackward(op === 'silu' ? 'sigmoid' : op, x, dy, dx),
    }),
  },
  {
    what: 'tanh by exponentials that overflow to NaN',
    filter: /^unary: tanh/,
    mutate: (k) => ({
      unary(op, x, out) {
        k.unary(op, x, out)
        // As in float32, where e^100 is infinite.
        if (op === 'tanh') mapOutput(out, (value, i) => (floats(x)[i] > 44 ? NaN : value))
      },
    }),
  },
  {
    what: 'abs whose gradient at 0 is 1',
    filter: /^unary: abs/,
    mutate: (k) => ({
      unaryBackward(op, x, dy, dx) {
        k.unaryBackward(op, x, dy, dx)
        if (op === 'abs') mapOutput(dx, (value, i) => (floats(x)[i] === 0 ? floats(dy)[i] : value))
      },
    }),
  },
  {
    what: 'matmul that ignores transposeB for square matrices',
    filter: /^matmul/,
    mutate: (k) => ({
      matmul: (a, b, ta, tb, out) => k.matmul(a, b, ta, tb && b.shape[1] !== b.shape[2], out),
    }),
  },
  {
    what: 'matmul that uses the first matrix of b for the whole batch',
    filter: /^matmul/,
    mutate: (k) => ({
      matmul(a, b, ta, tb, out) {
        const size = b.shape[1] * b.shape[2]
        const copy = Float64Array.from(floats(b), (_, i) => floats(b)[i % size])
        k.matmul(a, { ...view(b), buffer: copy.buffer, byteOffset: 0 }, ta, tb, out)
      },
    }),
  },
  {
    what: 'matmul that leaves out the last term of long sums',
    filter: /^matmul: .*5000/,
    mutate: (k) => ({
      matmul(a, b, ta, tb, out) {
        k.matmul(a, b, ta, tb, out)
        const K = a.shape[ta ? 1 : 2]
        if (K < 5000) return
        const [M, N] = [out.shape[1], out.shape[2]]
        mapOutput(out, (value, i) => {
          const [g, m, n] = [Math.floor(i / (M * N)), Math.floor(i / N) % M, i % N]
          const left = floats(a)[g * M * K + (ta ? (K - 1) * M + m : m * K + K - 1)]
          return value - left * floats(b)[g * K * N + (tb ? n * K + K - 1 : (K - 1) * N + n)]
        })
      },
    }),
  },
  {
    what: 'matmul that adds to what is there',
    filter: /^matmul: \[3, 5\] by/,
    mutate: (k) => ({
      matmul(a, b, ta, tb, out) {
        const before = floats(out).slice()
        k.matmul(a, b, ta, tb, out)
        mapOutput(out, (value, i) => value + before[i])
      },
    }),
  },
  {
    what: 'no broadcasting along an inner axis',
    filter: /^binary: add/,
    mutate: (k) => ({
      binary(op, a, b, out) {
        if (
          b.shape.length === out.shape.length &&
          b.shape.at(-1) === 1 &&
          out.shape.at(-1)! > 1 &&
          b.shape.length > 1
        ) {
          const from = floats(b)
          const [x, to] = [floats(a), floats(out)]
          for (let i = 0; i < to.length; i++) to[i] = x[i % x.length] + from[i % from.length]
        } else k.binary(op, a, b, out)
      },
    }),
  },
  {
    what: 'sub with its operands exchanged',
    filter: /^binary: sub/,
    mutate: (k) => ({ binary: (op, a, b, out) => (op === 'sub' ? k.binary(op, b, a, out) : k.binary(op, a, b, out)) }),
  },
  {
    what: 'select by multiplication, where NaN comes through',
    filter: /^binary: where/,
    mutate: () => ({
      select(condition, a, b, out) {
        const [c, x, y, to] = [condition, a, b, out].map(floats)
        for (let i = 0; i < to.length; i++) {
          const taken = c[i % c.length] === 0 ? 0 : 1
          to[i] = taken * x[i % x.length] + (1 - taken) * y[i % y.length]
        }
      },
    }),
  },
  {
    what: 'slice that starts one late where it can',
    filter: /^layout: slice/,
    mutate: (k) => ({
      slice(x, starts, out) {
        k.slice(
          x,
          starts.map((start, axis) => Math.min(start === 1 ? 2 : start, x.shape[axis] - out.shape[axis])),
          out,
        )
      },
    }),
  },
  {
    what: 'permute by the inverse order',
    filter: /^layout: permute/,
    mutate: (k) => ({
      permute: (x, axes, out) =>
        k.permute(
          x,
          axes.map((_, axis) => axes.indexOf(axis)),
          out,
        ),
    }),
  },
  {
    what: 'permute that forgets i32',
    filter: /^layout: permute/,
    mutate: (k) => ({ permute: (x, axes, out) => (x.dtype === 'i32' ? k.copy(x, out) : k.permute(x, axes, out)) }),
  },
  {
    what: 'concat that always joins the first axis',
    filter: /^layout: concat/,
    mutate: (k) => ({ concat: (xs, _, out) => k.concat(xs, 0, out) }),
  },
  {
    what: 'scatterAdd where the last of repeated rows wins',
    filter: /^layout: gather/,
    mutate: () => ({
      scatterAdd(indices, updates, out) {
        const rows = new Int32Array(indices.buffer as ArrayBuffer, indices.byteOffset, indices.shape[0])
        const D = out.shape[1]
        floats(out).fill(0)
        for (let i = 0; i < rows.length; i++) floats(out).set(floats(updates).subarray(i * D, (i + 1) * D), rows[i] * D)
      },
    }),
  },
  {
    what: 'scatterAdd that does not clear its output',
    filter: /^layout: gather/,
    mutate: () => ({
      scatterAdd(indices, updates, out) {
        const rows = new Int32Array(indices.buffer as ArrayBuffer, indices.byteOffset, indices.shape[0])
        const D = out.shape[1]
        for (let i = 0; i < rows.length * D; i++)
          floats(out)[rows[Math.floor(i / D)] * D + (i % D)] += floats(updates)[i]
      },
    }),
  },
  {
    what: 'softmax without subtracting the maximum',
    filter: /^softmax/,
    mutate: () => ({
      softmax(x, out) {
        const width = x.shape.at(-1)!
        const [from, to] = [floats(x), floats(out)]
        for (let start = 0; start < from.length; start += width) {
          let total = 0
          for (let i = start; i < start + width; i++) total += Math.exp(from[i])
          for (let i = start; i < start + width; i++) to[i] = Math.exp(from[i]) / total
        }
      },
    }),
  },
  {
    what: 'a sum that loses the tail of long rows',
    filter: /^reduce: sum of \[2, 5000\]/,
    mutate: (k) => ({
      sum(x, axes, out) {
        k.sum(x, axes, out)
        if (x.shape.at(-1) === 5000 && axes.length === 1)
          mapOutput(out, (value, row) => value - floats(x)[row * 5000 + 4999])
      },
    }),
  },
  {
    what: 'a fill that leaves the last element as it was',
    filter: /^(values: full|in place: fill)/,
    mutate: () => ({ fill: (out, value) => void (out.dtype === 'f64' && floats(out).subarray(0, -1).fill(value)) }),
  },
  {
    what: 'an accumulate that ignores its scale',
    filter: /^in place: accumulate/,
    mutate: (k) => ({ accumulate: (x, y) => k.accumulate(x, y, 1) }),
  },
  {
    what: 'an affine that breaks when it writes to its input',
    filter: /^in place: affine/,
    mutate: (k) => ({
      affine(x, scale, offset, out) {
        if (x.buffer === out.buffer) k.fill(out, 0)
        k.affine(x, scale, offset, out)
      },
    }),
  },
  {
    what: 'a cast to i32 that rounds',
    filter: /^layout: cast/,
    mutate: (k) => ({
      copy(x, out) {
        if (x.dtype !== 'f64' || out.dtype !== 'i32') k.copy(x, out)
        else new Int32Array(out.buffer as ArrayBuffer, out.byteOffset, floats(x).length).set(floats(x).map(Math.round))
      },
    }),
  },
  {
    what: 'kernels that ignore where a view begins',
    filter: /^views/,
    mutate: (k) => ({ copy: (x, out) => k.copy(x, { ...view(out), byteOffset: 0 }) }),
  },
  {
    what: 'a unary kernel that writes past its view',
    filter: /^views/,
    mutate: (k) => ({
      unary(op, x, out) {
        k.unary(op, x, out)
        const end = out.byteOffset + floats(out).byteLength
        if (end < (out.buffer as ArrayBuffer).byteLength) new Float64Array(out.buffer as ArrayBuffer, end, 1)[0] = 3
      },
    }),
  },
]

test.each(mutations)('the suite catches $what', async ({ mutate, filter }) => {
  expect(await isCaught(mutant(mutate), filter)).toBe(true)
})
