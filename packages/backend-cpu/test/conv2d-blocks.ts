import {
  type Backend,
  conv2d,
  type Conv2dOptions,
  dispose,
  mul,
  randomNormal,
  randomStream,
  scope,
  sum,
  toFloat32Array,
  valueAndGrad,
} from '@dit/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpu } from '../src/index.js'
import type { Engine } from './engines.js'

// 8 channels by 9 places by 70,000 windows are 5 million values: more than a workspace of 4 million holds, so that there are
// two blocks of windows, and the second begins in the middle of a row.
const IMAGE = [1, 8, 280, 250]

/** Convolutions of images that one workspace does not hold, on each engine. */
export function describeConv2dBlocks(engines: readonly Engine[]): void {
  describe.each(engines)('$label', ({ options }) => {
    let backend: Backend
    /** The same engine, where conv2d is composed of other kernels. */
    let composed: Backend
    beforeAll(async () => {
      backend = await cpu(options)
      composed = { ...backend, kernels: { ...backend.kernels, conv2d: undefined, conv2dBackward: undefined } }
    })
    afterAll(async () => {
      await backend.dispose()
    })

    const draw = (on: Backend, label: string, shape: readonly number[]) =>
      randomNormal(shape, randomStream(1, label), { backend: on })

    async function run(on: Backend, window: Conv2dOptions) {
      const params = {
        x: draw(on, 'x', IMAGE),
        weight: draw(on, 'weight', [3, 8, 3, 3]),
        bias: draw(on, 'bias', [3]),
      }
      const { loss, aux, gradients } = valueAndGrad(params, ({ x, weight, bias }) => {
        const out = conv2d(x, weight, bias, window)
        return { loss: sum(mul(out, draw(on, 'slope', out.shape))), out }
      })
      const results: Record<string, Float32Array> = { out: await toFloat32Array(aux.out) }
      for (const [name, gradient] of Object.entries(gradients)) results[name] = await toFloat32Array(gradient)
      dispose([params, loss, aux, gradients])
      return results
    }

    test.each([
      ['stride 1', { padding: 1 }],
      ['three rows at once', { padding: { top: 2, right: 3 } }],
    ])('images of several blocks, %s, come out as when composed of other kernels', async (_, window) => {
      const [got, want] = [await run(backend, window), await run(composed, window)]
      for (const [name, values] of Object.entries(want)) {
        const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
        const error = values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - got[name][i])), 0)
        // Sums of 72 products, of 27, and of 70,000 in two orders.
        expect(error / scale, name).toBeLessThan(1e-5)
      }
    })

    test('needs at most 16 MiB beside what it is given and gives', async () => {
      const fresh = await cpu(options)
      scope(() => {
        const [x, weight] = [draw(fresh, 'x', IMAGE), draw(fresh, 'weight', [3, 8, 3, 3])]
        conv2d(x, weight, null, { padding: 1 })
      })
      // Of these 5 million values there are at most 4 million at a time.
      const given = 4 * (8 + 3) * 280 * 250 + 4 * 3 * 8 * 9
      expect(fresh.memory().peakBytes - given).toBeGreaterThan(0)
      expect(fresh.memory().peakBytes - given).toBeLessThanOrEqual(2 ** 24)
      await fresh.dispose()
    })
  })
}
