import type { GraphBuilder } from './graph.js'

/** Operations of our networks in operators of ONNX (opset 17). */
export function operationsOf(graph: GraphBuilder) {
  const node = (...parameters: Parameters<GraphBuilder['node']>) => graph.node(...parameters)
  const scalar = (value: number) => graph.floats([value], [])
  const mul = (a: string, b: string) => node('Mul', [a, b])
  const add = (a: string, b: string) => node('Add', [a, b])
  const reshape = (x: string, shape: readonly number[]) => node('Reshape', [x, graph.integers(shape)])
  const silu = (x: string) => mul(x, node('Sigmoid', [x]))

  /** x W^T + bias for x `[..., K]`, W `[O, K]`: rows, a product, and the leading axes again. */
  const linear = (x: string, name: string, [O, K]: readonly [number, number], leading: readonly number[] | null) => {
    const inputs = [graph.parameter(`${name}.weight`, [O, K]), graph.parameter(`${name}.bias`, [O])]
    const rows = leading === null ? x : reshape(x, [-1, K])
    const product = node('Gemm', [rows, ...inputs], { transB: 1 })
    return leading === null ? product : reshape(product, [...leading, O])
  }

  return {
    mul,
    add,
    reshape,
    scalar,
    silu,
    linear,
    transpose: (x: string, perm: readonly number[]) => node('Transpose', [x], { perm }),
    concat: (values: readonly string[], axis: number) => node('Concat', values, { axis }),
    halves: (x: string, axis: number) => graph.split('Split', [x], 2, { axis }),

    /** 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). Hendrycks & Gimpel 2016. */
    gelu: (x: string): string => {
      const cube = mul(mul(x, x), x)
      const inner = mul(add(x, mul(cube, scalar(0.044715))), scalar(Math.sqrt(2 / Math.PI)))
      return mul(mul(x, scalar(0.5)), add(node('Tanh', [inner]), scalar(1)))
    },

    /** softmax(q k^T / sqrt(width)) v over the last two axes of tensors of rank 3 or 4. */
    attention: (q: string, k: string, v: string, width: number, rank: 3 | 4): string => {
      const perm = rank === 3 ? [0, 2, 1] : [0, 1, 3, 2]
      const scores = node('MatMul', [q, node('Transpose', [k], { perm })])
      const weights = node('Softmax', [mul(scores, scalar(width ** -0.5))], { axis: -1 })
      return node('MatMul', [weights, v])
    },
  }
}
