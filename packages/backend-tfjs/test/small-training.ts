import {
  adamw,
  attention,
  type Backend,
  chunk,
  gatedResidual,
  layerNormModulate,
  linear,
  mean,
  randomNormal,
  randomStream,
  scope,
  silu,
  square,
  sub,
  type Tensor,
  valueAndGrad,
  zeros,
} from '@dit/tensor'

type Tree = Readonly<Record<string, Tensor>>

/** A transformer block of width 8 over 3 tokens with what AdamW keeps, and the steps that train it. */
export interface SmallTraining {
  readonly backend: Backend
  readonly params: Tree
  /** One AdamW step; the caller disposes of the loss. */
  readonly step: () => Tensor
}

const D = 8
const shapes = {
  modulationWeight: [6 * D, D],
  modulationBias: [6 * D],
  qkvWeight: [3 * D, D],
  qkvBias: [3 * D],
  projectionWeight: [D, D],
  projectionBias: [D],
  fc1Weight: [4 * D, D],
  fc1Bias: [4 * D],
  fc2Weight: [D, 4 * D],
  fc2Bias: [D],
}

export function smallTraining(backend: Backend): SmallTraining {
  const draw = (name: string, shape: readonly number[]) => randomNormal(shape, randomStream(5, name), { backend })
  const tree = (make: (name: string, shape: readonly number[]) => Tensor) =>
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, make(name, shape)]))
  const params = tree(draw)
  const m = tree((_, shape) => zeros(shape, { backend }))
  const v = tree((_, shape) => zeros(shape, { backend }))
  const ema = tree((_, shape) => zeros(shape, { backend }))
  const [x, target, condition] = [draw('x', [2, 3, D]), draw('target', [2, 3, D]), draw('condition', [2, D])]
  let count = 0
  return {
    backend,
    params,
    step: () =>
      scope(() => {
        const { loss, gradients } = valueAndGrad(params, (p) => ({
          loss: mean(square(sub(block(x, condition, p), target))),
        }))
        count += 1
        for (const name of Object.keys(params)) {
          const state = { parameter: params[name], gradient: gradients[name], m: m[name], v: v[name], ema: ema[name] }
          adamw(state, { ...hyper, step: count })
        }
        return loss
      }),
  }
}

const hyper = {
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  gradientScale: 1,
  emaDecay: 0.9,
}

function block(x: Tensor, condition: Tensor, p: Tree): Tensor {
  const modulation = chunk(linear(silu(condition), p.modulationWeight, p.modulationBias), 6)
  const [shiftAttention, scaleAttention, gateAttention, shiftMlp, scaleMlp, gateMlp] = modulation
  const qkv = linear(layerNormModulate(x, shiftAttention, scaleAttention, 1e-6), p.qkvWeight, p.qkvBias)
  const attended = linear(attention(qkv, 2), p.projectionWeight, p.projectionBias)
  const middle = gatedResidual(x, gateAttention, attended)
  const normalized = layerNormModulate(middle, shiftMlp, scaleMlp, 1e-6)
  const hidden = linear(normalized, p.fc1Weight, p.fc1Bias, { activation: 'gelu' })
  return gatedResidual(middle, gateMlp, linear(hidden, p.fc2Weight, p.fc2Bias))
}
