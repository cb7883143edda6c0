import {
  adamw,
  attention,
  type Backend,
  dispose,
  gatedResidual,
  layerNormModulate,
  linear,
  mean,
  type Params,
  randomNormal,
  randomStream,
  reshape,
  scope,
  square,
  sub,
  type Tensor,
  valueAndGrad,
  zeros,
} from '@dit/tensor'

const [B, N, D] = [3, 70, 96]
const shapes = {
  qkv: [3 * D, D],
  proj: [D, D],
  up: [4 * D, D],
  down: [D, 4 * D],
  bias: [4 * D],
  shift: [B, D],
  scale: [B, D],
  gate: [B, D],
}

/** A transformer block that learns to undo noise: every fused kernel, forward and backward. */
export interface Training {
  /** One step; returns the loss. */
  step(): Promise<number>
  readonly params: Params
  dispose(): void
}

export function training(backend: Backend): Training {
  const draw = (name: string, shape: readonly number[]) => randomNormal(shape, randomStream(0, name), { backend })
  const params = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, draw(name, shape)]))
  for (const x of Object.values(params)) backend.kernels.affine(x, 0.1, 0, x)
  const state = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, [0, 1, 2].map(() => zeros(shape, { backend }))]),
  )
  const [x, target] = [draw('x', [B, N, D]), draw('target', [B, N, D])]
  let count = 0
  return {
    params,
    async step() {
      count++
      const loss = scope(() => {
        const { loss, gradients } = valueAndGrad(params, (p) => ({ loss: mean(square(sub(block(x, p), target))) }))
        for (const [name, parameter] of Object.entries(params)) {
          const [m, v, ema] = state[name]
          adamw({ parameter, gradient: gradients[name], m, v, ema }, { ...hyper, step: count })
        }
        return loss
      })
      const [value] = await loss.data()
      loss.dispose()
      return value
    },
    dispose: () => dispose([x, target, params, Object.values(state)]),
  }
}

const hyper = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  gradientScale: 1,
  emaDecay: 0.99,
}

function block(x: Tensor, { qkv, proj, up, down, bias, shift, scale, gate }: Params): Tensor {
  const normalized = layerNormModulate(x, shift, scale, 1e-6) // [B, N, D]
  const mixed = linear(attention(linear(normalized, qkv, null), 3), proj, null) // [B, N, D]
  const tokens = gatedResidual(x, gate, mixed) // [B, N, D]
  const hidden = linear(tokens, up, bias, { activation: 'gelu' }) // [B, N, 4 D]
  return reshape(linear(hidden, down, null), x.shape) // [B, N, D]
}
