import type { ModernKernels, Saved, View } from '@dit/tensor'

const floats = ({ buffer, byteOffset, shape }: View): Float64Array =>
  new Float64Array(
    buffer as ArrayBuffer,
    byteOffset,
    shape.reduce((size, extent) => size * extent, 1),
  )

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** Kernels of newer transformers, written from the formulas of their doc comments. See `fusedReference`. */
export function modernKernels(hold: () => Saved): ModernKernels {
  return {
    swiglu(x, out) {
      const [from, to] = [x, out].map(floats)
      eachGate(x, (a, b, i) => (to[i] = from[a] * sigmoid(from[a]) * from[b]))
    },
    swigluBackward(x, dout, dx) {
      const [from, dy, to] = [x, dout, dx].map(floats)
      eachGate(x, (a, b, i) => {
        const s = sigmoid(from[a])
        to[a] = dy[i] * from[b] * (s + from[a] * s * (1 - s))
        to[b] = dy[i] * from[a] * s
      })
    },
    rmsNormModulate(x, weight, shift, scale, epsilon, out, keep) {
      const [from, to] = [x, out].map(floats)
      const gain = gainOf(x, weight, scale)
      for (const { indices, inverse } of rowsOf(from, x.shape[2], epsilon)) {
        for (const i of indices)
          to[i] = from[i] * inverse * gain(i) + (shift === null ? 0 : floats(shift)[vectorAt(x, i)])
      }
      return keep ? hold() : null
    },
    rmsNormModulateBackward(x, weight, scale, epsilon, saved, dout, { dx, dweight, dshift, dscale }) {
      if (saved === null) throw new Error('saved is missing')
      const [from, w, dy, toX, toWeight] = [x, weight, dout, dx, dweight].map(floats)
      const D = x.shape[2]
      const gain = gainOf(x, weight, scale)
      for (const each of [dweight, dshift, dscale]) if (each !== null) floats(each).fill(0)
      for (const { indices, inverse } of rowsOf(from, D, epsilon)) {
        const along = indices.reduce((sum, i) => sum + dy[i] * gain(i) * from[i] * inverse, 0) / D
        for (const i of indices) {
          const at = vectorAt(x, i)
          toX[i] = inverse * (dy[i] * gain(i) - from[i] * inverse * along)
          toWeight[i % D] += dy[i] * from[i] * inverse * (scale === null ? 1 : 1 + floats(scale)[at])
          if (dshift !== null) floats(dshift)[at] += dy[i]
          if (dscale !== null) floats(dscale)[at] += dy[i] * from[i] * inverse * w[i % D]
        }
      }
    },
    qkNormRope(qkv, numHeads, norm, rotation, out, keep) {
      const [from, to] = [qkv, out].map(floats)
      const width = qkv.shape[2] / 3 / numHeads
      to.set(from)
      eachHead(qkv, numHeads, (indices, part, token) => {
        const inverse =
          norm === null
            ? 1
            : inverseOf(
                indices.map((i) => from[i]),
                norm.epsilon,
              )
        const weight = norm === null ? null : floats(norm[part])
        const normed = indices.map((i, d) => from[i] * (weight === null ? 1 : inverse * weight[d]))
        for (const [d, i] of indices.entries()) to[i] = turned(normed, d, (at) => angleOf(rotation, token * width + at))
      })
      return keep && norm !== null ? hold() : null
    },
    qkNormRopeBackward(qkv, numHeads, norm, rotation, saved, dout, { dqkv, dq, dk }) {
      if (norm !== null && saved === null) throw new Error('saved is missing')
      const [dy, to] = [dout, dqkv].map(floats)
      const width = dout.shape[2] / 3 / numHeads
      to.set(dy)
      for (const each of [dq, dk]) if (each !== null) floats(each).fill(0)
      eachHead(dout, numHeads, (indices, part, token) => {
        const angle = (at: number) => angleOf(rotation, token * width + at)
        // What reaches channel d comes from itself and from its neighbour.
        const d = indices.map((i, at) => {
          const other = at ^ 1
          const across = rotation === null ? 0 : dy[indices[other]] * angle(other).sin * (at % 2 === 0 ? 1 : -1)
          return dy[i] * angle(at).cos + across
        })
        if (norm === null) {
          for (const [at, i] of indices.entries()) to[i] = d[at]
          return
        }
        const x = indices.map((i) => floats(qkv!)[i])
        const inverse = inverseOf(x, norm.epsilon)
        const weight = floats(norm[part])
        const along = d.reduce((sum, value, at) => sum + value * weight[at] * x[at] * inverse, 0) / width
        const dweight = floats((part === 'q' ? dq : dk)!)
        for (const [at, i] of indices.entries()) {
          to[i] = inverse * (d[at] * weight[at] - x[at] * inverse * along)
          dweight[at] += d[at] * x[at] * inverse
        }
      })
    },
    crossAttention(q, k, v, lengths, numHeads, out, keep) {
      const [values, to] = [v, out].map(floats)
      to.fill(0)
      eachPair(q, k, lengths, numHeads, (p, query, key, headDim) => {
        for (let d = 0; d < headDim; d++) to[query + d] += p * values[key + d]
      })
      return keep ? hold() : null
    },
    crossAttentionBackward(q, k, v, lengths, numHeads, out, saved, dout, { dq, dk, dv }) {
      if (saved === null) throw new Error('saved is missing')
      const [fromQ, fromK, fromV, y, dy] = [q, k, v, out, dout].map(floats)
      const [toQ, toK, toV] = [dq, dk, dv].map((view) => floats(view).fill(0))
      eachPair(q, k, lengths, numHeads, (p, query, key, headDim) => {
        let ds = 0
        for (let d = 0; d < headDim; d++) ds += dy[query + d] * (fromV[key + d] - y[query + d])
        ds *= p / Math.sqrt(headDim)
        for (let d = 0; d < headDim; d++) {
          toV[key + d] += p * dy[query + d]
          toQ[query + d] += ds * fromK[key + d]
          toK[key + d] += ds * fromQ[query + d]
        }
      })
    },
  }
}

/** Calls back for every weight of cross-attention, with where its query (and output) and its key (and value) begin. */
function eachPair(
  q: View,
  k: View,
  lengths: View | null,
  numHeads: number,
  visit: (p: number, query: number, key: number, headDim: number) => void,
): void {
  const [B, N, D] = q.shape
  const M = k.shape[1]
  const headDim = D / numHeads
  const [fromQ, fromK] = [q, k].map(floats)
  const counts = lengths === null ? null : new Int32Array(lengths.buffer as ArrayBuffer, lengths.byteOffset, B)
  for (let row = 0; row < B * N; row++) {
    const sample = Math.floor(row / N)
    for (let head = 0; head < numHeads; head++) {
      const query = row * D + head * headDim
      const keys = Array.from({ length: counts?.[sample] ?? M }, (_, j) => (sample * M + j) * D + head * headDim)
      const scores = keys.map((key) => {
        let dot = 0
        for (let d = 0; d < headDim; d++) dot += fromQ[query + d] * fromK[key + d]
        return dot / Math.sqrt(headDim)
      })
      const weights = scores.map((score) => Math.exp(score - Math.max(...scores)))
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      for (const [j, key] of keys.entries()) visit(weights[j] / total, query, key, headDim)
    }
  }
}

function eachGate(x: View, visit: (gate: number, value: number, out: number) => void): void {
  const [rows, width] = x.shape
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width / 2; i++) visit(row * width + i, row * width + width / 2 + i, (row * width) / 2 + i)
  }
}

/** Where the vector of a sample has what belongs to element i of x. */
function vectorAt({ shape: [, N, D] }: View, i: number): number {
  return Math.floor(i / (N * D)) * D + (i % D)
}

function gainOf(x: View, weight: View, scale: View | null): (i: number) => number {
  const w = floats(weight)
  return (i) => w[i % w.length] * (scale === null ? 1 : 1 + floats(scale)[vectorAt(x, i)])
}

function inverseOf(row: readonly number[], epsilon: number): number {
  return 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length + epsilon)
}

function rowsOf(x: Float64Array, D: number, epsilon: number) {
  return Array.from({ length: x.length / D }, (_, row) => {
    const indices = Array.from({ length: D }, (_, d) => row * D + d)
    return {
      indices,
      inverse: inverseOf(
        indices.map((i) => x[i]),
        epsilon,
      ),
    }
  })
}

/** Calls back for every head of queries and keys, with where its channels lie. */
function eachHead(
  qkv: View,
  numHeads: number,
  visit: (indices: number[], part: 'q' | 'k', token: number) => void,
): void {
  const [B, N, width] = qkv.shape
  const headDim = width / 3 / numHeads
  for (let row = 0; row < B * N; row++) {
    for (const [i, part] of (['q', 'k'] as const).entries()) {
      for (let head = 0; head < numHeads; head++) {
        const start = row * width + i * (width / 3) + head * headDim
        visit(
          Array.from({ length: headDim }, (_, d) => start + d),
          part,
          row % N,
        )
      }
    }
  }
}

interface Angle {
  readonly cos: number
  readonly sin: number
}

function angleOf(rotation: { readonly cos: View; readonly sin: View } | null, at: number): Angle {
  return rotation === null ? { cos: 1, sin: 0 } : { cos: floats(rotation.cos)[at], sin: floats(rotation.sin)[at] }
}

function turned(x: readonly number[], d: number, angle: (d: number) => Angle): number {
  const { cos, sin } = angle(d)
  // An angle of zero needs no neighbour.
  if (sin === 0) return x[d] * cos
  return x[d] * cos + (d % 2 === 0 ? -x[d + 1] : x[d - 1]) * sin
}
