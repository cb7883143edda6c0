import {
  add,
  affine,
  type Backend,
  div,
  exp,
  full,
  gelu,
  isTracked,
  layerNorm,
  linear,
  matmul,
  mean,
  mul,
  type Params,
  recompute,
  reference,
  reshape,
  softmax,
  square,
  stopGradient,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { backend, checkGradients, draw, numbers } from '../check-gradients.js'

describe('gradients', () => {
  test('of a shared subexpression add up', async () => {
    await checkGradients({ x: draw('x', [3, 4]) }, ({ x }) => {
      const y = exp(x)
      return add(mul(y, y), div(x, add(y, y)))
    })
  })

  test('of a tensor used under several names and shapes', async () => {
    const w = draw('w', [3, 3])
    await checkGradients({ w }, ({ w }) => [matmul(w, w), sum(w), reshape(w, [9]), softmax(w)])
  })

  test('of a parameter that is not used are zeros, and it is not reported', async () => {
    const [used, unused] = [draw('used', [2]), draw('unused', [3, 1])]
    const reported: string[] = []
    const { gradients } = valueAndGrad({ unused, used }, () => ({ loss: sum(used) }), {
      onGradient: (name) => reported.push(name),
    })
    expect(Object.keys(gradients)).toEqual(['unused', 'used'])
    expect(gradients.unused.shape).toEqual([3, 1])
    expect(await numbers(gradients.unused)).toEqual([0, 0, 0])
    expect(reported).toEqual(['used'])
  })

  test('of a parameter in a branch that the loss does not see are zeros, of one in both are those of the loss', async () => {
    const [a, b] = [tensor([2], [], { backend }), tensor([3], [], { backend })]
    const { gradients } = valueAndGrad({ a, b }, () => {
      const seen = square(a)
      mul(a, b)
      return { loss: seen }
    })
    expect([await numbers(gradients.a), await numbers(gradients.b)]).toEqual([[4], [0]])
  })

  test('of a loss that is a parameter itself is 1', async () => {
    const p = tensor([5], [], { backend })
    const { loss, gradients } = valueAndGrad({ p }, ({ p }) => ({ loss: p }))
    expect(loss).toBe(p)
    expect(await numbers(gradients.p)).toEqual([1])
    const twice = valueAndGrad({ p }, ({ p }) => ({ loss: p, also: square(p) }))
    expect(await numbers(twice.gradients.p)).toEqual([1])
  })

  test('of a loss that depends on nothing are zeros', async () => {
    const p = tensor([5], [], { backend })
    const { gradients } = valueAndGrad({ p }, () => ({ loss: tensor([1], [], { backend }) }))
    expect(await numbers(gradients.p)).toEqual([0])
  })

  test('stop at stopGradient, also where it returns its input', async () => {
    const x = tensor([3], [], { backend })
    const inside = valueAndGrad({ x }, () => ({
      loss: mul(
        x,
        stopGradient(() => square(x)),
      ),
    }))
    expect(await numbers(inside.gradients.x)).toEqual([9])
    const identity = valueAndGrad({ x }, () => ({
      loss: mul(
        x,
        stopGradient(() => x),
      ),
    }))
    expect(await numbers(identity.gradients.x)).toEqual([3])
  })

  test('share no memory: one may be changed in place', () => {
    const [a, b] = [draw('a', [2]), draw('b', [2])]
    const { gradients } = valueAndGrad({ a, b }, () => ({ loss: sum(add(a, b)) }))
    expect(gradients.a.buffer).not.toBe(gradients.b.buffer)
  })

  test('may be changed in place by onGradient while the backward pass goes on', async () => {
    const [a, b] = [draw('a', [2]), draw('b', [2])]
    const { gradients } = valueAndGrad({ a, b }, () => ({ loss: sum(add(affine(a, 2), b)) }), {
      onGradient: (_, gradient) => backend.kernels.affine(gradient, 100, 0, gradient),
    })
    expect([await numbers(gradients.a), await numbers(gradients.b)]).toEqual([
      [200, 200],
      [100, 100],
    ])
  })
})

describe('valueAndGrad', () => {
  test('hands on what else the function returns', async () => {
    const x = tensor([1, 2], [2], { backend })
    const { loss, aux } = valueAndGrad({ x }, () => ({
      loss: sum(x),
      squares: square(x),
      note: 'kept',
      parts: [exp(x)],
    }))
    expect(await numbers(loss)).toEqual([3])
    expect(await numbers(aux.squares)).toEqual([1, 4])
    expect(aux.note).toBe('kept')
    expect(aux.parts[0].isAlive).toBe(true)
  })

  test('adds into given tensors', async () => {
    const x = tensor([1, 2], [2], { backend })
    const into = { x: tensor([10, 20], [2], { backend }) }
    for (let i = 0; i < 2; i++) {
      const { gradients } = valueAndGrad({ x }, () => ({ loss: sum(square(x)) }), { into })
      expect(gradients).toBe(into)
    }
    expect(await numbers(into.x)).toEqual([14, 28])
  })

  test('overwrites given tensors, also where a parameter is used twice, or not at all', async () => {
    const params = { weight: draw('weight', [3, 3]), twice: draw('twice', [3, 3]), unused: draw('unused', [2]) }
    const x = draw('x', [4, 3])
    const loss = ({ weight, twice }: Params) => {
      const hidden = recompute(() => linear(gelu(linear(x, twice, null)), twice, null))
      return { loss: mean(square(linear(hidden, weight, null))) }
    }
    const expected = valueAndGrad(params, loss).gradients
    const into = Object.fromEntries(
      Object.entries(params).map(([name, { shape }]) => [name, full(shape, Number.NaN, { backend })]),
    )
    const seen: Promise<number[]>[] = []
    valueAndGrad(params, loss, {
      into,
      overwrite: true,
      onGradient: (_, gradient) => void seen.push(numbers(gradient)),
    })
    for (const name of Object.keys(params)) expect(await numbers(into[name])).toEqual(await numbers(expected[name]))
    expect(await Promise.all(seen)).toEqual([await numbers(into['weight']), await numbers(into['twice'])])
  })

  test('overwriting needs something to overwrite', () => {
    const x = tensor([1], [1], { backend })
    expect(() => valueAndGrad({ x }, () => ({ loss: sum(x) }), { overwrite: true })).toThrow(
      'valueAndGrad: overwrite needs into, which it overwrites',
    )
  })

  test('reports each gradient exactly once, when it is complete, last layers first', async () => {
    const params = { first: draw('first', [3, 3]), shared: draw('shared', [3]), last: draw('last', [2, 3]) }
    const x = draw('x', [4, 3])
    const reported: [string, number[]][] = []
    const pending: Promise<void>[] = []
    const run = (onGradient?: (name: string, gradient: { data(): Promise<ArrayLike<number>> }) => void) =>
      valueAndGrad(
        params,
        ({ first, shared, last }) => {
          const hidden = gelu(add(linear(x, first, shared), shared))
          return { loss: mean(square(linear(hidden, last, null))) }
        },
        { onGradient },
      )
    const { gradients } = run((name, gradient) => {
      pending.push(gradient.data().then((data) => void reported.push([name, Array.from(data)])))
    })
    await Promise.all(pending)
    expect(reported.map(([name]) => name)).toEqual(['last', 'shared', 'first'])
    for (const [name, values] of reported) expect(values).toEqual(await numbers(gradients[name]))
  })

  test('reports the sum where it adds into given tensors', async () => {
    const x = tensor([1], [1], { backend })
    const into = { x: tensor([5], [1], { backend }) }
    let reported: unknown
    valueAndGrad({ x }, () => ({ loss: sum(x) }), { into, onGradient: (_, gradient) => (reported = gradient) })
    expect(reported).toBe(into.x)
    expect(await numbers(into.x)).toEqual([6])
  })

  test('ends the tape: nothing is tracked before or after', () => {
    const x = draw('x', [1])
    let inside = false
    valueAndGrad({ x }, () => {
      inside = isTracked(x)
      return { loss: sum(x) }
    })
    expect([inside, isTracked(x)]).toEqual([true, false])
  })

  test('refuses to run inside another one, where the second derivatives would be missing', () => {
    const before = backend.memory().buffers
    const x = tensor([1, 2], [2], { backend })
    const inner = () => valueAndGrad({ x }, () => ({ loss: sum(square(x)) })).gradients.x
    const refusal = new Error(
      'valueAndGrad: it must not run inside another one, which would lack the second derivatives; ' +
        'to take its gradients as constants, call it in stopGradient',
    )
    expect(() => valueAndGrad({ x }, () => ({ loss: sum(mul(inner(), x)) }))).toThrow(refusal)
    expect(() => valueAndGrad({ x }, () => ({ loss: sum(recompute(inner)) }))).toThrow(refusal)
    x.dispose()
    expect(backend.memory().buffers).toBe(before)
  })

  test('runs inside another one in stopGradient, and its gradients are constants there', async () => {
    const x = tensor([1, 2], [2], { backend })
    const { gradients } = valueAndGrad({ x }, () => {
      const inner = stopGradient(() => valueAndGrad({ x }, () => ({ loss: sum(square(x)) })))
      return { loss: sum(mul(inner.gradients.x, x)) }
    })
    expect(await numbers(gradients.x)).toEqual([2, 4])
  })

  test('runs in onGradient of another one', () => {
    const x = draw('x', [2])
    const loss = () => ({ loss: sum(x) })
    let reported = 0
    const onGradient = () => reported++
    valueAndGrad({ x }, loss, { onGradient: () => void valueAndGrad({ x }, loss, { onGradient }) })
    expect(reported).toBe(1)
  })

  test('says what came instead of a loss', () => {
    const before = backend.memory().buffers
    const x = draw('x', [2])
    for (const [result, came] of [
      [() => undefined, 'undefined'],
      [() => null, 'null'],
      [() => 3, 'a number'],
      [() => sum(x), 'a Tensor'],
      [() => ({ value: sum(x) }), 'an object whose loss is undefined'],
      [() => ({ loss: 3 }), 'an object whose loss is a number'],
      [() => ({ loss: [sum(x)] }), 'an object whose loss is an array'],
    ] as [() => unknown, string][]) {
      expect(() => valueAndGrad({ x }, result as () => { loss: Tensor })).toThrow(
        new TypeError(`valueAndGrad: fn must return { loss }, where loss is a Tensor (it returned ${came})`),
      )
    }
    x.dispose()
    expect(backend.memory().buffers).toBe(before)
  })

  test('errors', () => {
    const [x, y] = [draw('x', [2]), draw('y', [3])]
    const loss = () => ({ loss: sum(x) })
    expect(() => valueAndGrad({ x }, () => ({ loss: square(x) }))).toThrow(
      new RangeError('valueAndGrad: the loss must be a scalar (got [2])'),
    )
    expect(() => valueAndGrad({ a: x, b: x }, loss)).toThrow(
      new RangeError('valueAndGrad: parameters must be different tensors (a and b are one)'),
    )
    expect(() => valueAndGrad({ x, y }, loss, { into: { x } })).toThrow(
      new RangeError('valueAndGrad: into must hold [3] for y (got nothing)'),
    )
    expect(() => valueAndGrad({ x }, loss, { into: { x: y } })).toThrow(
      new RangeError('valueAndGrad: into must hold [2] for x (got [3])'),
    )
    // @ts-expect-error a promise has no loss
    expect(() => valueAndGrad({ x }, async () => loss())).toThrow('scope: the callback must not be async')
  })
})

describe('errors leak nothing and change nothing', () => {
  test('thrown by the function, by onGradient, by a loss of another shape', () => {
    const before = backend.memory().buffers
    const x = draw('x', [2])
    const fail = () => {
      throw new Error('stop')
    }
    const deep = () => sum(layerNorm(gelu(mul(x, x)), 1e-6))
    expect(() => valueAndGrad({ x }, () => (deep(), fail()))).toThrow('stop')
    expect(() => valueAndGrad({ x }, () => ({ loss: deep() }), { onGradient: fail })).toThrow('stop')
    expect(() => valueAndGrad({ x }, () => ({ loss: (deep(), x) }))).toThrow(RangeError)
    x.dispose()
    expect(backend.memory().buffers).toBe(before)
    expect(isTracked(x)).toBe(false)
  })

  // A kernel fails at every possible moment in turn, as on an engine that runs out of memory.
  test.each([false, true])('wherever a kernel fails, recomputed %s', (isRecomputed) => {
    let left = Infinity
    const broken = failing(() => --left < 0)
    const make = (shape: number[]) =>
      tensor(new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(0.5), shape, { backend: broken })
    const params = { w: make([3, 3]), b: make([3]), g: make([3]) }
    const x = make([2, 3])
    const into = Object.fromEntries(
      Object.entries(params).map(([name, { shape }]) => [name, zeros(shape, { backend: broken })]),
    )
    const forward = ({ w, b, g }: Params) => {
      const block = () => mul(add(gelu(linear(x, w, b)), b), g)
      const y = isRecomputed ? recompute(block) : block()
      return { loss: mean(square(add(y, mul(softmax(y), g)))) }
    }
    const before = broken.memory().buffers
    const leaked: number[] = []
    for (const options of [{}, { into }]) {
      for (let calls = 0; ; calls++) {
        left = calls
        try {
          const { loss, gradients } = valueAndGrad(params, forward, options)
          loss.dispose()
          if (gradients !== into) for (const gradient of Object.values(gradients)) gradient.dispose()
          break
        } catch (error) {
          if ((error as Error).message !== 'out of memory') throw error
          leaked.push(broken.memory().buffers - before)
        }
      }
      left = Infinity
    }
    expect(leaked.length).toBeGreaterThan(100)
    expect(leaked).toEqual(leaked.map(() => 0))
    expect(broken.memory().buffers).toBe(before)
  })
})

/** A reference whose kernels and allocations throw when told to. */
function failing(fails: () => boolean): Backend {
  const plain = reference()
  const kernels = Object.fromEntries(
    Object.entries(plain.kernels).map(([name, kernel]) => [
      name,
      (...args: never[]) => {
        if (fails()) throw new Error('out of memory')
        return (kernel as (...args: never[]) => unknown)(...args)
      },
    ]),
  )
  return {
    ...plain,
    kernels: kernels as unknown as Backend['kernels'],
    allocate(byteLength) {
      if (fails()) throw new Error('out of memory')
      return plain.allocate(byteLength)
    },
  }
}
