import {
  adamw,
  allocateFlat,
  type Backend,
  chunk,
  attention,
  fill,
  flatLayout,
  flatten,
  gatedResidual,
  type HeadRotation,
  layerNormModulate,
  linear,
  mean,
  qkNormRope,
  randomNormal,
  randomStream,
  reference,
  rmsNormModulate,
  scope,
  silu,
  square,
  sub,
  swiglu,
  type Tensor,
  tensor,
  toFloat32Array,
  valueAndGrad,
  zeros,
  dispose,
  disposeFlat,
} from '@dit/tensor'

export interface Extents {
  readonly B: number
  readonly N: number
  readonly D: number
  readonly depth: number
  readonly numHeads: number
  /** RMS norms, QK norm, rotary positions and SwiGLU in the place of layer norms and GELU. */
  readonly isModern?: boolean
}

/** adaLN-Zero blocks that learn to reproduce a target: flat parameters, gradients added into them, AdamW with EMA. */
export interface Training {
  /** One step; the caller disposes of the loss. */
  readonly step: () => Tensor
  parameters(): Promise<Float32Array[]>
  dispose(): void
}

const HYPER = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  gradientScale: 1,
  emaDecay: 0.99,
}

/** The same numbers on every backend: they are drawn on `source`. */
export async function training(backend: Backend, source: Backend, extents: Extents): Promise<Training> {
  const { B, N, D, depth, numHeads, isModern = false } = extents
  const hidden = Math.floor((8 / 3) * D)
  const vectors = { norm1: [D], norm2: [D], qNorm: [D / numHeads], kNorm: [D / numHeads] }
  const shapes = Object.fromEntries(
    Array.from({ length: depth }, (_, i) => [
      ...Object.entries({
        modulation: [6 * D, D],
        qkv: [3 * D, D],
        projection: [D, D],
        fc1: [isModern ? 2 * hidden : 4 * D, D],
        fc2: [D, isModern ? hidden : 4 * D],
      }).flatMap(([name, shape]) => [
        [`${i}.${name}.weight`, shape],
        [`${i}.${name}.bias`, shape.slice(0, 1)],
      ]),
      ...Object.entries(isModern ? vectors : {}).map(([name, shape]) => [`${i}.${name}`, shape]),
    ]).flat() as [string, number[]][],
  )
  const drawn = async (name: string, shape: readonly number[], scale: number) => {
    const x = randomNormal(shape, randomStream(5, name), { backend: source })
    const values = (await toFloat32Array(x)).map((value) => scale * value)
    x.dispose()
    return tensor(values, shape, { backend })
  }
  const start: Record<string, Tensor> = {}
  for (const [name, shape] of Object.entries(shapes)) start[name] = await drawn(name, shape, D ** -0.5)
  const layout = flatLayout(shapes, backend)
  const flat = flatten(start, layout, backend)
  dispose(start)
  const gradients = allocateFlat(layout, backend)
  const [m, v, ema] = [0, 1, 2].map(() => layout.segmentSizes.map((size) => zeros([size], { backend })))
  const [x, target, condition] = [
    await drawn('x', [B, N, D], 1),
    await drawn('target', [B, N, D], 1),
    await drawn('condition', [B, D], 1),
  ]
  const rotation = {
    cos: tensor(new Float32Array((N * D) / numHeads).fill(0.6), [N, D / numHeads], { backend }),
    sin: tensor(new Float32Array((N * D) / numHeads).fill(0.8), [N, D / numHeads], { backend }),
  }
  let count = 0
  return {
    step() {
      count++
      for (const segment of gradients.segments) fill(segment, 0)
      const loss = scope(
        () =>
          valueAndGrad(
            flat.params,
            (params) => {
              const siluC = silu(condition)
              let tokens = x
              for (let i = 0; i < depth; i++)
                tokens = block(tokens, siluC, (name) => params[`${i}.${name}`], extents, rotation)
              return { loss: mean(square(sub(tokens, target))) }
            },
            { into: gradients.params },
          ).loss,
      )
      flat.segments.forEach((parameter, i) =>
        adamw({ parameter, gradient: gradients.segments[i], m: m[i], v: v[i], ema: ema[i] }, { ...HYPER, step: count }),
      )
      return loss
    },
    parameters: () => Promise.all(flat.segments.map(toFloat32Array)),
    dispose() {
      disposeFlat(flat)
      disposeFlat(gradients)
      dispose([m, v, ema, x, target, condition, rotation])
    },
  }
}

function block(
  x: Tensor,
  siluC: Tensor,
  p: (name: string) => Tensor,
  { numHeads, isModern = false }: Extents,
  rotation: HeadRotation,
): Tensor {
  const modulation = linear(siluC, p('modulation.weight'), p('modulation.bias')) // [B, 6 D]
  const [shiftMsa, scaleMsa, gateMsa, shiftMlp, scaleMlp, gateMlp] = chunk(modulation, 6)
  const norm = (name: string, tokens: Tensor, shift: Tensor, scale: Tensor) =>
    isModern ? rmsNormModulate(tokens, p(name), { shift, scale }, 1e-6) : layerNormModulate(tokens, shift, scale, 1e-6)
  const qkv = linear(norm('norm1', x, shiftMsa, scaleMsa), p('qkv.weight'), p('qkv.bias')) // [B, N, 3 D]
  const ofHeads = () => ({ norm: { q: p('qNorm'), k: p('kNorm'), epsilon: 1e-6 }, rotation })
  const prepared = isModern ? qkNormRope(qkv, numHeads, ofHeads()) : qkv
  const attended = linear(attention(prepared, numHeads), p('projection.weight'), p('projection.bias')) // [B, N, D]
  const between = gatedResidual(x, gateMsa, attended)
  const normed = norm('norm2', between, shiftMlp, scaleMlp)
  const inner = linear(normed, p('fc1.weight'), p('fc1.bias'), { activation: isModern ? 'none' : 'gelu' })
  const hidden = isModern ? swiglu(inner) : inner // [B, N, 4 D], or two thirds of it
  return gatedResidual(between, gateMlp, linear(hidden, p('fc2.weight'), p('fc2.bias'))) // [B, N, D]
}

/** Losses of the first steps of a small model, whose start `reference` draws. */
export async function firstLosses(on: Backend, steps: number, isModern = false): Promise<number[]> {
  const run = await training(on, reference(), { B: 2, N: 9, D: 24, depth: 2, numHeads: 3, isModern })
  const values: number[] = []
  for (let i = 0; i < steps; i++) {
    const loss = run.step()
    values.push((await loss.data())[0])
    loss.dispose()
  }
  run.dispose()
  return values
}
