import { type Backend, type Kernels, reference, type View } from '@dit/tensor'
import { runConformance } from '@dit/tensor/conformance'
import { describe, expect, test } from 'vitest'
import { fusedReference } from '../fused-reference.js'

/** Values of a view of the float64 engines. */
const floats = ({ buffer, byteOffset, shape }: View): Float64Array =>
  new Float64Array(
    buffer as ArrayBuffer,
    byteOffset,
    shape.reduce((size, extent) => size * extent, 1),
  )

type Mutate = (kernels: Kernels) => Partial<Kernels>

function mutant(mutate: Mutate, base: Backend = reference()): Backend {
  return { ...base, name: 'mutant', kernels: { ...base.kernels, ...mutate(base.kernels) } }
}

/** Runs `after` on the output once the right kernel has written it. */
function mapOutput(out: View, change: (value: number, index: number) => number): void {
  floats(out).set(floats(out).map(change))
}

interface Mutation {
  readonly what: string
  /** Which cases see it; the fewer, the faster. */
  readonly filter: RegExp
  readonly mutate: Mutate
}

const required: Mutation[] = [
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

const fused: Mutation[] = [
  {
    what: 'linear that forgets the bias without an activation',
    filter: /^linear: \[3, 5\]/,
    mutate: (k) => ({
      linear: (x, w, bias, activation, out, keep) =>
        k.linear!(x, w, activation === 'none' ? null : bias, activation, out, keep),
    }),
  },
  {
    what: 'a linear gradient that skips the activation',
    filter: /^linear: \[3, 5\]/,
    mutate: (k) => ({
      linearBackward: (x, w, _, saved, dout, outputs) => k.linearBackward!(x, w, 'none', saved, dout, outputs),
    }),
  },
  {
    what: 'layerNormModulate with an epsilon of its own',
    filter: /^norm: layerNormModulate/,
    mutate: (k) => ({
      layerNormModulate: (x, shift, scale, _, out, keep) => k.layerNormModulate!(x, shift, scale, 1e-5, out, keep),
    }),
  },
  {
    what: 'layerNormModulate that exchanges shift and scale',
    filter: /^norm: layerNormModulate/,
    mutate: (k) => ({
      layerNormModulateBackward: (x, scale, eps, saved, dout, { dx, dshift, dscale }) =>
        k.layerNormModulateBackward!(x, scale, eps, saved, dout, { dx, dshift: dscale, dscale: dshift }),
    }),
  },
  {
    what: 'attention that splits heads the other way',
    filter: /^attention/,
    mutate: (k) => ({
      attention: (qkv, numHeads, out, keep) => k.attention!(qkv, out.shape[2] / numHeads, out, keep),
    }),
  },
  {
    what: 'attention that loses its last token past 64',
    filter: /^attention.* 65 tokens/,
    mutate: (k) => ({
      attention(qkv, numHeads, out, keep) {
        const saved = k.attention!(qkv, numHeads, out, keep)
        if (out.shape[1] > 64)
          floats(out)
            .subarray(64 * out.shape[2], 65 * out.shape[2])
            .fill(0)
        return saved
      },
    }),
  },
  {
    what: 'gatedResidual whose gate gradient takes the last sample alone',
    filter: /^residual/,
    mutate: (k) => ({
      gatedResidualBackward(gate, h, dout, { dgate, dh }) {
        k.gatedResidualBackward!(gate, h, dout, { dgate, dh })
        if (gate.shape[0] > 1) floats(dgate).subarray(0, gate.shape[1]).fill(0)
      },
    }),
  },
  {
    what: 'conv2d that forgets the bias',
    filter: /^conv2d: \[2, 3, 5, 7\]/,
    mutate: (k) => ({ conv2d: (x, w, _, window, out) => k.conv2d!(x, w, null, window, out) }),
  },
  {
    what: 'conv2d that exchanges the padding above and on the left',
    filter: /^conv2d/,
    mutate: (k) => ({
      conv2d: (x, w, b, { stride, top, left }, out) => k.conv2d!(x, w, b, { stride, top: left, left: top }, out),
    }),
  },
  {
    what: 'conv2d whose gradient ignores the stride',
    filter: /^conv2d: .*stride 2/,
    mutate: (k) => ({
      conv2dBackward: (x, w, window, dout, outputs) => k.conv2dBackward!(x, w, { ...window, stride: 1 }, dout, outputs),
    }),
  },
  {
    what: 'conv2d whose weight gradient adds to what is there',
    filter: /^conv2d: \[2, 3, 5, 7\]/,
    mutate: (k) => ({
      conv2dBackward(x, w, window, dout, outputs) {
        const before = outputs.dweight && floats(outputs.dweight).slice()
        k.conv2dBackward!(x, w, window, dout, outputs)
        if (before !== null) mapOutput(outputs.dweight!, (value, i) => value + before[i])
      },
    }),
  },
  {
    what: 'groupNorm with an epsilon of its own',
    filter: /^groupNorm/,
    mutate: (k) => ({
      groupNorm: (x, w, b, norm, out, keep) => k.groupNorm!(x, w, b, { ...norm, epsilon: 1e-5 }, out, keep),
    }),
  },
  {
    what: 'groupNorm that never applies silu',
    filter: /^groupNorm: \[2, 6/,
    mutate: (k) => ({
      groupNorm: (x, w, b, norm, out, keep) => k.groupNorm!(x, w, b, { ...norm, activation: 'none' }, out, keep),
    }),
  },
  {
    what: 'a groupNorm gradient that skips silu',
    filter: /^groupNorm: \[2, 6/,
    mutate: (k) => ({
      groupNormBackward: (x, w, b, norm, saved, dout, outputs) =>
        k.groupNormBackward!(x, w, b, { ...norm, activation: 'none' }, saved, dout, outputs),
    }),
  },
  {
    what: 'upsample2x that averages its gradient',
    filter: /^upsample2x/,
    mutate: (k) => ({
      upsample2xBackward(dout, dx) {
        k.upsample2xBackward!(dout, dx)
        mapOutput(dx, (value) => value / 4)
      },
    }),
  },
  {
    what: 'adamw that adds weight decay to the gradient',
    filter: /^optimizer/,
    mutate: (k) => ({
      adamw(parameter, gradient, m, v, ema, step) {
        k.accumulate(gradient, parameter, step.weightDecay)
        k.adamw!(parameter, gradient, m, v, ema, { ...step, weightDecay: 0 })
      },
    }),
  },
  {
    what: 'adamw that never corrects the bias',
    filter: /^optimizer/,
    mutate: (k) => ({ adamw: (p, g, m, v, ema, step) => k.adamw!(p, g, m, v, ema, { ...step, step: 1e9 }) }),
  },
  {
    what: 'adamw that averages before the update',
    filter: /^optimizer/,
    mutate: (k) => ({
      adamw(p, g, m, v, ema, step) {
        if (ema !== null) {
          k.affine(ema, step.emaDecay, 0, ema)
          k.accumulate(ema, p, 1 - step.emaDecay)
        }
        k.adamw!(p, g, m, v, null, step)
      },
    }),
  },
  {
    what: 'normals of another stream',
    filter: /^random/,
    mutate: (k) => ({ randomNormal: (stream, start, out) => k.randomNormal!(stream, start + 1, out) }),
  },
  {
    what: 'a saved that is never disposed of',
    filter: /^memory/,
    mutate: (k) => ({
      attention(qkv, numHeads, out, keep) {
        const saved = k.attention!(qkv, numHeads, out, keep)
        return saved && { ...saved, dispose: () => undefined }
      },
    }),
  },
]

describe.each(required)('the suite catches $what', ({ mutate, filter }) => {
  test('and passes without it', async () => {
    expect(await failuresOf(mutant(mutate), filter)).not.toEqual([])
    expect(await failuresOf(reference(), filter)).toEqual([])
  })
})

describe.each(fused)('the suite catches $what', ({ mutate, filter }) => {
  test('and passes without it', async () => {
    expect(await failuresOf(mutant(mutate, fusedReference()), filter)).not.toEqual([])
    expect(await failuresOf(fusedReference(), filter)).toEqual([])
  })
})

describe('the suite catches engines that', () => {
  const plain = () => reference()

  test('never free', async () => {
    expect(await failuresOf({ ...plain(), free: () => undefined }, /^memory/)).not.toEqual([])
  })

  test('leak a buffer in every softmax', async () => {
    const base = plain()
    const leaky = mutant((k) => ({ softmax: (x, out) => (base.allocate(8), k.softmax(x, out)) }), base)
    expect(await failuresOf(leaky, /^softmax/)).not.toEqual([])
  })

  test('do not remember the peak', async () => {
    const base = plain()
    const forgetful = { ...base, memory: () => ({ ...base.memory(), peakBytes: 0 }) }
    expect(await failuresOf(forgetful, /^memory/)).not.toEqual([])
  })

  test('give out their own memory on download, or keep the host array on upload', async () => {
    const sharing: Backend = { ...plain(), download: async (x) => floats(x) }
    expect(await failuresOf(sharing, /^values: what is downloaded/)).not.toEqual([])
    const kept = new Map<unknown, Float64Array>()
    const keeping: Backend = {
      ...plain(),
      upload: (x, data) => void kept.set(x.buffer, data as Float64Array),
      download: async (x) => kept.get(x.buffer)!.slice(),
    }
    expect(await failuresOf(keeping, /^values: what is uploaded/)).not.toEqual([])
  })

  test('lose the sign of zero, or denormals', async () => {
    const flush = (change: (value: number) => number): Backend => {
      const base = plain()
      return {
        ...base,
        upload: (x, data) => base.upload(x, x.dtype === 'f64' ? (data as Float64Array).map(change) : data),
      }
    }
    expect(
      await failuresOf(
        flush((x) => x + 0),
        /^values: upload/,
      ),
    ).not.toEqual([])
    expect(
      await failuresOf(
        flush((x) => (Math.abs(x) < 2 ** -126 ? 0 : x)),
        /^values: upload/,
      ),
    ).not.toEqual([])
  })
})

async function failuresOf(backend: Backend, filter: RegExp): Promise<string[]> {
  const results = await runConformance(backend, { filter })
  expect(results).not.toEqual([])
  return results.flatMap(({ name, error }) => (error === null ? [] : [`${name}: ${error.message}`]))
}

/** A plain view, which can be spread. */
function view({ buffer, byteOffset, shape, dtype }: View): View {
  return { buffer, byteOffset, shape, dtype }
}
