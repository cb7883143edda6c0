import { normals } from '@dit/random'
import { type Backend, type FusedKernels, reference, type Saved, type View } from '@dit/tensor'
import { imageKernels } from './image-reference.js'
import { modernKernels } from './modern-reference.js'

/**
 * `reference` with every fused kernel, written from the formulas of their doc comments and not from the ops that compose
 * them, so that the two ways check each other. What `saved` holds counts as a buffer: a tape that forgets it leaks.
 */
export function fusedReference(): Backend {
  const plain = reference()
  const hold = (): Saved => {
    const buffer = plain.allocate(8)
    return { dispose: () => plain.free(buffer) }
  }
  const kernels = { ...plain.kernels, ...fusedKernels(hold), ...modernKernels(hold), ...imageKernels(hold) }
  return { ...plain, name: 'fused', dtypes: ['f64', 'i32'], kernels }
}

const floats = ({ buffer, byteOffset, shape }: View): Float64Array =>
  new Float64Array(
    buffer as ArrayBuffer,
    byteOffset,
    shape.reduce((size, extent) => size * extent, 1),
  )

const activations = {
  none: [(x: number) => x, () => 1],
  silu: [
    (x: number) => x / (1 + Math.exp(-x)),
    (x: number) => (1 + Math.exp(-x) + x * Math.exp(-x)) / (1 + Math.exp(-x)) ** 2,
  ],
  gelu: [
    (x: number) => x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    (x: number) => {
      const slope = 2 * Math.sqrt(2 / Math.PI)
      const s = 1 / (1 + Math.exp(-slope * (x + 0.044715 * x ** 3)))
      return s + x * s * (1 - s) * slope * (1 + 0.134145 * x * x)
    },
  ],
} as const

function fusedKernels(hold: () => Saved): FusedKernels {
  return {
    linear(x, weight, bias, activation, out, keep) {
      const [from, w, b, to] = [floats(x), floats(weight), bias && floats(bias), floats(out)]
      const [[M, K], [O]] = [x.shape, weight.shape]
      for (let m = 0; m < M; m++) {
        for (let o = 0; o < O; o++) to[m * O + o] = activations[activation][0](preactivation(from, w, b, K, m, o))
      }
      return keep ? { ...hold(), bias: b?.slice() ?? null } : null
    },
    linearBackward(x, weight, activation, saved, dout, { dx, dweight, dbias }) {
      const [from, w, dy] = [floats(x), floats(weight), floats(dout)]
      const [[M, K], [O]] = [x.shape, weight.shape]
      const { bias } = saved as Saved & { bias: Float64Array | null }
      for (const each of [dx, dweight, dbias]) if (each !== null) floats(each).fill(0)
      for (let m = 0; m < M; m++) {
        for (let o = 0; o < O; o++) {
          const g = dy[m * O + o] * activations[activation][1](preactivation(from, w, bias, K, m, o))
          if (dbias !== null) floats(dbias)[o] += g
          for (let k = 0; k < K; k++) {
            if (dx !== null) floats(dx)[m * K + k] += g * w[o * K + k]
            if (dweight !== null) floats(dweight)[o * K + k] += g * from[m * K + k]
          }
        }
      }
    },
    layerNormModulate(x, shift, scale, epsilon, out, keep) {
      const [from, b, s, to] = [x, shift, scale, out].map(floats)
      const D = x.shape[2]
      normalised(from, D, epsilon).forEach((value, i) => {
        const at = Math.floor(i / (x.shape[1] * D)) * D + (i % D)
        to[i] = value * (1 + s[at]) + b[at]
      })
      return keep ? hold() : null
    },
    layerNormModulateBackward(x, scale, epsilon, saved, dout, { dx, dshift, dscale }) {
      if (saved === null) throw new Error('saved is missing')
      const [from, s, dy, toX, toShift, toScale] = [x, scale, dout, dx, dshift, dscale].map(floats)
      const [, N, D] = x.shape
      const n = normalised(from, D, epsilon)
      toShift.fill(0)
      toScale.fill(0)
      for (let row = 0; row < from.length / D; row++) {
        const at = (d: number) => Math.floor(row / N) * D + d
        const g = Array.from({ length: D }, (_, d) => dy[row * D + d] * (1 + s[at(d)]))
        const mean = g.reduce((a, b) => a + b) / D
        const along = g.reduce((total, value, d) => total + value * n[row * D + d], 0) / D
        const inverse = 1 / Math.sqrt(variance(from, row, D) + epsilon)
        for (let d = 0; d < D; d++) {
          const i = row * D + d
          toX[i] = inverse * (g[d] - mean - n[i] * along)
          toShift[at(d)] += dy[i]
          toScale[at(d)] += dy[i] * n[i]
        }
      }
    },
    attention(qkv, numHeads, out, keep) {
      const to = floats(out)
      to.fill(0)
      eachWeight(qkv, numHeads, (p, outIndex, valueIndex, headDim) => {
        for (let d = 0; d < headDim; d++) to[outIndex + d] += p * floats(qkv)[valueIndex + d]
      })
      return keep ? hold() : null
    },
    attentionBackward(qkv, numHeads, out, saved, dout, dqkv) {
      if (saved === null) throw new Error('saved is missing')
      const [from, y, dy, to] = [qkv, out, dout, dqkv].map(floats)
      to.fill(0)
      eachWeight(qkv, numHeads, (p, outIndex, valueIndex, headDim, query, key) => {
        // ds = p (dp - sum(dp p)), and sum(dp p) over the keys is dy . y
        let ds = 0
        for (let d = 0; d < headDim; d++) ds += dy[outIndex + d] * (from[valueIndex + d] - y[outIndex + d])
        ds *= p / Math.sqrt(headDim)
        for (let d = 0; d < headDim; d++) {
          to[valueIndex + d] += p * dy[outIndex + d]
          to[query + d] += ds * from[key + d]
          to[key + d] += ds * from[query + d]
        }
      })
    },
    gatedResidual(x, gate, h, out) {
      const [from, g, branch, to] = [x, gate, h, out].map(floats)
      const [, N, D] = x.shape
      for (let i = 0; i < to.length; i++) to[i] = from[i] + g[Math.floor(i / (N * D)) * D + (i % D)] * branch[i]
    },
    gatedResidualBackward(gate, h, dout, { dgate, dh }) {
      const [g, branch, dy, toGate, toH] = [gate, h, dout, dgate, dh].map(floats)
      const [, N, D] = h.shape
      toGate.fill(0)
      for (let i = 0; i < dy.length; i++) {
        const at = Math.floor(i / (N * D)) * D + (i % D)
        toGate[at] += dy[i] * branch[i]
        toH[i] = dy[i] * g[at]
      }
    },
    adamw(parameter, gradient, m, v, ema, step) {
      const [p, g, first, second] = [parameter, gradient, m, v].map(floats)
      const average = ema && floats(ema)
      for (let i = 0; i < p.length; i++) {
        const scaled = g[i] * step.gradientScale
        p[i] *= 1 - step.learningRate * step.weightDecay
        first[i] = step.beta1 * first[i] + (1 - step.beta1) * scaled
        second[i] = step.beta2 * second[i] + (1 - step.beta2) * scaled * scaled
        const [mHat, vHat] = [first[i] / (1 - step.beta1 ** step.step), second[i] / (1 - step.beta2 ** step.step)]
        p[i] -= (step.learningRate * mHat) / (Math.sqrt(vHat) + step.epsilon)
        if (average !== null) average[i] = step.emaDecay * average[i] + (1 - step.emaDecay) * p[i]
      }
    },
    randomNormal(stream, start, out) {
      floats(out).set(normals(stream, floats(out).length, start))
    },
  }
}

function preactivation(
  x: Float64Array,
  w: Float64Array,
  b: Float64Array | null,
  K: number,
  m: number,
  o: number,
): number {
  let sum = b?.[o] ?? 0
  for (let k = 0; k < K; k++) sum += x[m * K + k] * w[o * K + k]
  return sum
}

function rowMean(x: Float64Array, row: number, D: number): number {
  return x.subarray(row * D, (row + 1) * D).reduce((a, b) => a + b) / D
}

function variance(x: Float64Array, row: number, D: number): number {
  const mean = rowMean(x, row, D)
  return x.subarray(row * D, (row + 1) * D).reduce((total, value) => total + (value - mean) ** 2, 0) / D
}

function normalised(x: Float64Array, D: number, epsilon: number): Float64Array {
  const out = new Float64Array(x.length)
  for (let row = 0; row < x.length / D; row++) {
    const [mean, inverse] = [rowMean(x, row, D), 1 / Math.sqrt(variance(x, row, D) + epsilon)]
    for (let d = 0; d < D; d++) out[row * D + d] = (x[row * D + d] - mean) * inverse
  }
  return out
}

/** Calls back for every attention weight, with where its output, value, query and key begin. */
function eachWeight(
  qkv: View,
  numHeads: number,
  visit: (p: number, out: number, value: number, headDim: number, query: number, key: number) => void,
): void {
  const x = floats(qkv)
  const [B, N, width] = qkv.shape
  const D = width / 3
  const headDim = D / numHeads
  for (let b = 0; b < B; b++) {
    for (let head = 0; head < numHeads; head++) {
      const at = (token: number, part: number) => (b * N + token) * width + part * D + head * headDim
      for (let i = 0; i < N; i++) {
        const scores = Array.from({ length: N }, (_, j) => {
          let dot = 0
          for (let d = 0; d < headDim; d++) dot += x[at(i, 0) + d] * x[at(j, 1) + d]
          return dot / Math.sqrt(headDim)
        })
        const max = Math.max(...scores)
        const total = scores.reduce((sum, score) => sum + Math.exp(score - max), 0)
        for (let j = 0; j < N; j++) {
          visit(
            Math.exp(scores[j] - max) / total,
            (b * N + i) * D + head * headDim,
            at(j, 2),
            headDim,
            at(i, 0),
            at(j, 1),
          )
        }
      }
    }
  }
}
