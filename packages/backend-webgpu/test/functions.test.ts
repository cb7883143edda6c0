import { type Backend, cos, exp, log, sin, type Tensor, tensor } from '@dit/tensor'
import { afterAll, beforeAll, expect } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { webgpu } from '../src/index.js'
import { testAdapter } from './drivers.js'

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

let backend: Backend
beforeAll(async () => {
  if (options !== null) backend = await webgpu(options)
})
afterAll(async () => {
  await backend?.dispose()
})

interface Claim {
  readonly name: string
  readonly run: (x: Tensor) => Tensor
  readonly want: (x: number) => number
  readonly range: readonly [number, number]
  /** Largest error in units of 2^-23 of the value, or of 1. */
  readonly eps: number
  readonly of: 'value' | 'one'
}

// A polynomial of some roundings, over ranges so wide that a constant in one part instead of two or three would cost ten times as much.
const claims: Claim[] = [
  { name: 'exp', run: exp, want: Math.exp, range: [-86, 88], eps: 2, of: 'value' },
  { name: 'log', run: log, want: Math.log, range: [1.5, 1e6], eps: 2, of: 'value' },
  { name: 'sin', run: sin, want: Math.sin, range: [-9000, 9000], eps: 1, of: 'one' },
  { name: 'cos', run: cos, want: Math.cos, range: [-9000, 9000], eps: 1, of: 'one' },
]

for (const {
  name,
  run,
  want,
  range: [low, high],
  eps,
  of,
} of claims) {
  test(`${name} is within ${eps} units of 2^-23 of ${of === 'one' ? '1' : 'the value'} from ${low} to ${high}`, async () => {
    const count = 40_000
    const values = Float32Array.from({ length: count }, (_, i) => low + ((high - low) * i) / count)
    const x = tensor(values, [count], { backend })
    const y = run(x)
    const got = await y.data()
    let worst = 0
    for (const [i, value] of values.entries()) {
      const expected = want(value)
      worst = Math.max(worst, Math.abs(got[i] - expected) / (of === 'one' ? 1 : Math.abs(expected)))
    }
    x.dispose()
    y.dispose()
    expect(worst * 2 ** 23).toBeLessThan(eps)
  })
}
