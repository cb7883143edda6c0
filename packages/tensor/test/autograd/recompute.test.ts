import { normals, randomStream } from '@dit/random'
import {
  add,
  affine,
  attention,
  type Backend,
  cast,
  chunk,
  dispose,
  exp,
  gatedResidual,
  gelu,
  isTracked,
  layerNormModulate,
  linear,
  mean,
  mul,
  type Params,
  recompute,
  reference,
  scope,
  silu,
  square,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
} from '@dit/tensor'
import { expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

const [B, N, D, DEPTH] = [2, 24, 8, 4]

/** A stack of adaLN-Zero blocks, each in the way of `run`. */
function stack(on: Backend, run: (block: () => Tensor) => Tensor) {
  const make = (label: string, shape: number[]) =>
    tensor(
      normals(
        randomStream(9, label),
        shape.reduce((a, b) => a * b, 1),
      ).map((z) => 0.3 * z),
      shape,
      { backend: on },
    )
  const params: Record<string, Tensor> = { x: make('x', [B, N, D]), c: make('c', [B, D]) }
  for (let i = 0; i < DEPTH; i++) {
    params[`${i}.modulation`] = make(`${i} modulation`, [3 * D, D])
    params[`${i}.qkv`] = make(`${i} qkv`, [3 * D, D])
    params[`${i}.fc1`] = make(`${i} fc1`, [4 * D, D])
    params[`${i}.fc2`] = make(`${i} fc2`, [D, 4 * D])
  }
  const forward = (p: Params) => {
    let x = p.x
    for (let i = 0; i < DEPTH; i++) {
      const input = x
      x = run(() => {
        const [shift, scale, gate] = chunk(linear(silu(p.c), p[`${i}.modulation`], null), 3)
        const h = attention(linear(layerNormModulate(input, shift, scale, 1e-6), p[`${i}.qkv`], null), 2)
        return gatedResidual(
          input,
          gate,
          linear(linear(h, p[`${i}.fc1`], null, { activation: 'gelu' }), p[`${i}.fc2`], null),
        )
      })
    }
    return { loss: mean(square(x)) }
  }
  return { params, forward }
}

async function gradientsOf(run: (block: () => Tensor) => Tensor) {
  const on = reference()
  const { params, forward } = stack(on, run)
  const { loss, gradients } = valueAndGrad(params, forward)
  const values: Record<string, number[]> = { loss: await numbers(loss) }
  for (const [name, gradient] of Object.entries(gradients)) values[name] = await numbers(gradient)
  dispose([loss, gradients, params])
  expect(on.memory().buffers).toBe(0)
  return { values, peakBytes: on.memory().peakBytes }
}

test('gives bit-identical gradients with less memory', async () => {
  const [plain, recomputed] = [await gradientsOf((block) => block()), await gradientsOf(recompute)]
  expect(recomputed.values).toEqual(plain.values)
  expect(recomputed.peakBytes).toBeLessThan(0.6 * plain.peakBytes)
})

test('nests', async () => {
  const [plain, nested] = [
    await gradientsOf((block) => block()),
    await gradientsOf((block) => recompute(() => recompute(block))),
  ]
  expect(nested.values).toEqual(plain.values)
  await checkGradients({ x: draw('x', [2, 3]), y: draw('y', [3]) }, ({ x, y }) =>
    recompute(() =>
      mul(
        recompute(() => gelu(add(x, y))),
        exp(recompute(() => mul(x, y))),
      ),
    ),
  )
})

test('runs the function once forward and once more backward', () => {
  const x = draw('x', [2])
  let runs = 0
  valueAndGrad({ x }, () => ({ loss: sum(recompute(() => (runs++, exp(x)))) }))
  expect(runs).toBe(2)
  recompute(() => (runs++, exp(x)))
  expect(runs).toBe(3)
})

test('keeps constants that the function reads, though their scope ends before the backward pass', async () => {
  const [w, k] = [draw('w', [3]), draw('k', [3])]
  await checkGradients({ w }, ({ w }) =>
    scope(() => {
      // Two untracked tensors, one of which no tracked op sees.
      const [seen, unseen] = [affine(k, 2), affine(k, 3)]
      return recompute(() => mul(mul(w, seen), exp(unseen)))
    }),
  )
})

test('keeps constants of a block around, nested', async () => {
  const [w, k] = [draw('w', [3]), draw('k', [3])]
  await checkGradients({ w }, ({ w }) =>
    scope(() => {
      const constant = affine(k, 2)
      return recompute(() => {
        const inner = affine(constant, 0.5)
        return mul(
          w,
          recompute(() => mul(w, exp(mul(inner, constant)))),
        )
      })
    }),
  )
})

test('a function of constants, or one that returns what it was given, is no work for the backward pass', async () => {
  const [x, k] = [draw('x', [2]), draw('k', [2])]
  const { gradients } = valueAndGrad({ x }, () => {
    const constant = recompute(() => exp(k))
    const same = recompute(() => x)
    const outer = recompute(() => (exp(x), k))
    expect([isTracked(constant), same === x, isTracked(outer)]).toEqual([false, true, false])
    return { loss: sum(mul(mul(same, constant), outer)) }
  })
  const want = (await numbers(k)).map((value) => value * Math.exp(value))
  expect(await numbers(gradients.x)).toEqual(want.map((value) => expect.closeTo(value, 14) as number))
})

test('refuses a function that returns no tensor, with a tape or without', () => {
  const before = backend.memory().buffers
  const x = draw('x', [2])
  for (const [result, came] of [
    [() => undefined, 'undefined'],
    [() => [exp(x)], 'an array'],
    [async () => exp(x), 'a Promise'],
  ] as [() => unknown, string][]) {
    const run = () => recompute(result as () => Tensor)
    const refusal = new TypeError(`recompute: fn must return a Tensor (it returned ${came})`)
    expect(run).toThrow(refusal)
    expect(() => valueAndGrad({ x }, () => ({ loss: sum(run()) }))).toThrow(refusal)
  }
  x.dispose()
  expect(backend.memory().buffers).toBe(before)
})

test('refuses another shape or dtype in the second run', () => {
  const before = backend.memory().buffers
  const x = draw('x', [3])
  const run = (second: (y: Tensor) => Tensor) => {
    let runs = 0
    return () => valueAndGrad({ x }, () => ({ loss: sum(recompute(() => (runs++ === 0 ? exp(x) : second(exp(x))))) }))
  }
  expect(run((y) => sum(y))).toThrow(
    new RangeError('recompute: fn must give the same shape each time (first [3], then [])'),
  )
  expect(run((y) => cast(y, 'i32'))).toThrow(
    new TypeError('recompute: fn must give the same dtype each time (first f64, then i32)'),
  )
  x.dispose()
  expect(backend.memory().buffers).toBe(before)
})

test('frees everything when the function fails, the first time or the second', () => {
  const before = backend.memory().buffers
  const x = draw('x', [2])
  for (const failAt of [1, 2]) {
    let runs = 0
    const run = () =>
      valueAndGrad({ x }, () => ({
        loss: sum(
          recompute(() => {
            const y = exp(x)
            if (++runs === failAt) throw new Error('stop')
            return y
          }),
        ),
      }))
    expect(run).toThrow('stop')
  }
  x.dispose()
  expect(backend.memory().buffers).toBe(before)
})
