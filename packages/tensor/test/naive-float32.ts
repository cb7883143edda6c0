import { type Backend, type Kernels, reference, stridesOf, type UnaryOp, type View } from '@dit/tensor'

const f = Math.fround

/**
 * An engine that rounds to float32 after every single operation and adds in plain order, as the simplest C would: the
 * tolerances of the conformance suite must admit it.
 */
export function naiveFloat32(): Backend {
  const plain = reference()
  return {
    ...plain,
    name: 'naive float32',
    float: 'f32',
    dtypes: ['f32', 'i32'],
    kernels: { ...plain.kernels, ...kernels },
  }
}

const floats = ({ buffer, byteOffset, shape }: View): Float32Array =>
  new Float32Array(
    buffer as ArrayBuffer,
    byteOffset,
    shape.reduce((size, extent) => size * extent, 1),
  )

const exp = (x: number) => f(Math.exp(x))
const sigmoid = (x: number) => f(1 / f(1 + exp(-x)))
const tanh = (x: number) => f(f(2 * sigmoid(f(2 * x))) - 1)
const SLOPE = f(0.7978845608)
const inner = (x: number) => f(SLOPE * f(x + f(f(0.044715) * f(x * f(x * x)))))

const functions: Partial<Record<UnaryOp, (x: number) => number>> = {
  tanh,
  sigmoid,
  silu: (x) => f(x * sigmoid(x)),
  gelu: (x) => f(f(0.5 * x) * f(1 + tanh(inner(x)))),
}

const derivatives: Partial<Record<UnaryOp, (x: number) => number>> = {
  tanh: (x) => f(1 - f(tanh(x) * tanh(x))),
  sigmoid: (x) => f(sigmoid(x) * f(1 - sigmoid(x))),
  silu: (x) => f(sigmoid(x) * f(1 + f(x * f(1 - sigmoid(x))))),
  gelu: (x) => {
    const t = tanh(inner(x))
    const slope = f(SLOPE * f(1 + f(f(0.134145) * f(x * x))))
    return f(f(0.5 * f(1 + t)) + f(f(f(0.5 * x) * f(1 - f(t * t))) * slope))
  },
}

const plainKernels = reference().kernels

const kernels: Partial<Kernels> = {
  unary(op, x, out) {
    const run = functions[op]
    if (run === undefined) plainKernels.unary(op, x, out)
    else floats(out).set(floats(x).map(run))
  },
  unaryBackward(op, x, dy, dx) {
    const run = derivatives[op]
    if (run === undefined) plainKernels.unaryBackward(op, x, dy, dx)
    else floats(dx).set(floats(x).map((value, i) => f(floats(dy)[i] * run(value))))
  },
  affine(x, scale, offset, out) {
    floats(out).set(floats(x).map((value) => f(f(f(scale) * value) + f(offset))))
  },
  accumulate(x, y, scale) {
    const from = floats(y)
    floats(x).set(floats(x).map((value, i) => f(value + f(f(scale) * from[i]))))
  },
  sum(x, axes, out) {
    const [from, to] = [floats(x), floats(out)]
    const steps = stridesOf(out.shape).map((stride, axis) => (axes.includes(axis) ? 0 : stride))
    to.fill(0)
    const index = x.shape.map(() => 0)
    for (const value of from) {
      const at = index.reduce((total, position, axis) => total + position * steps[axis], 0)
      to[at] += value
      for (let axis = index.length - 1; axis >= 0 && ++index[axis] === x.shape[axis]; axis--) index[axis] = 0
    }
  },
  matmul(a, b, transposeA, transposeB, out) {
    const [x, y, to] = [floats(a), floats(b), floats(out)]
    const [G, M, N] = out.shape
    const K = a.shape[transposeA ? 1 : 2]
    for (let g = 0; g < G; g++) {
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          let sum = 0
          for (let k = 0; k < K; k++) {
            const left = x[g * M * K + (transposeA ? k * M + m : m * K + k)]
            sum = f(sum + f(left * y[g * K * N + (transposeB ? n * K + k : k * N + n)]))
          }
          to[(g * M + m) * N + n] = sum
        }
      }
    }
  },
  softmax(x, out) {
    const width = x.shape.at(-1)!
    const [from, to] = [floats(x), floats(out)]
    for (let start = 0; start < from.length; start += width) {
      const row = from.subarray(start, start + width)
      const max = row.reduce((a, b) => Math.max(a, b))
      const powers = row.map((value) => exp(f(value - max)))
      const total = powers.reduce((a, b) => f(a + b))
      to.set(
        powers.map((power) => f(power / total)),
        start,
      )
    }
  },
  softmaxBackward(y, dy, dx) {
    const width = y.shape.at(-1)!
    const [p, g, to] = [floats(y), floats(dy), floats(dx)]
    for (let start = 0; start < p.length; start += width) {
      let dot = 0
      for (let i = start; i < start + width; i++) dot = f(dot + f(p[i] * g[i]))
      for (let i = start; i < start + width; i++) to[i] = f(p[i] * f(g[i] - dot))
    }
  },
}
