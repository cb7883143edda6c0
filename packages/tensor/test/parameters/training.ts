import { randomStream } from '@dit/random'
import {
  type Backend,
  adamw,
  allocateFlat,
  assign,
  disposeFlat,
  fill,
  flatLayout,
  linear,
  mean,
  randomNormal,
  recompute,
  scope,
  square,
  sub,
  sum,
  type Tensor,
  valueAndGrad,
} from '@dit/tensor'
import { expect } from 'vitest'

const shapes = { 'in.weight': [8, 2], 'in.bias': [8], 'out.weight': [1, 8], 'out.bias': [1] }

/** 500 steps on `backend` learn a function and hold the number of buffers constant. */
export async function expectToLearn(backend: Backend): Promise<void> {
  const layout = flatLayout(shapes, backend)
  const [params, gradients, m, v, ema] = Array.from({ length: 5 }, () => allocateFlat(layout, backend))
  scope(() => {
    for (const [name, target] of Object.entries(params.params)) {
      assign(target, randomNormal(target.shape, randomStream(0, name), { backend }))
    }
    for (const [i, segment] of ema.segments.entries()) assign(segment, params.segments[i])
  })
  const loss = (of: Record<string, Tensor>, step: number) => {
    const x = randomNormal([16, 2], randomStream(1, 'x', step), { backend })
    const target = sum(square(x), [1], { keepDims: true }) // [16, 1]
    const hidden = recompute(() => linear(x, of['in.weight'], of['in.bias'], { activation: 'gelu' }))
    return mean(square(sub(linear(hidden, of['out.weight'], of['out.bias']), target)))
  }
  const before = backend.memory()
  const losses: number[] = []
  for (let step = 1; step <= 500; step++) {
    for (const segment of gradients.segments) fill(segment, 0)
    const { loss: value } = valueAndGrad(params.params, (of) => ({ loss: loss(of, step) }), {
      into: gradients.params,
    })
    for (const [i, parameter] of params.segments.entries()) {
      adamw(
        { parameter, gradient: gradients.segments[i], m: m.segments[i], v: v.segments[i], ema: ema.segments[i] },
        {
          learningRate: 0.02,
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          weightDecay: 0,
          step,
          gradientScale: 1,
          emaDecay: 0.98,
        },
      )
    }
    losses.push((await value.data())[0])
    value.dispose()
    const { buffers, bytes } = backend.memory()
    expect([buffers, bytes], `after step ${step}`).toEqual([before.buffers, before.bytes])
  }
  // x^2 + y^2 has variance 4: knowing nothing costs 4, and 8 units come far below it.
  const average = scope(() => loss(ema.params, 10_000))
  expect((await average.data())[0]).toBeLessThan(0.5)
  expect(losses.slice(-50).reduce((a, b) => a + b) / 50).toBeLessThan(0.5)
  average.dispose()
  for (const flat of [params, gradients, m, v, ema]) disposeFlat(flat)
  expect(backend.memory()).toMatchObject({ buffers: 0, bytes: 0 })
}
