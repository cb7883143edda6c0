import {
  averagePool2d,
  conv2d,
  dispose,
  groupNorm,
  matmul,
  maxPool2d,
  mean,
  randomNormal,
  randomStream,
  reference,
  scope,
  square,
  upsample2x,
  valueAndGrad,
  zeros,
} from '@dit/tensor'
import { expect, test } from 'vitest'
import { describeWebGpu, type WebGpuOptions } from '../src/index.js'
import { nullBackend } from './drivers.js'
import { training } from './training.js'

/** The null backend checks shaders and bindings as a real one does; an error is thrown by what is read next. */
export function testVariants(variants: readonly WebGpuOptions[]): void {
  for (const { tiles, ...precision } of variants) {
    test(`every kernel compiles with ${JSON.stringify(precision)} and ${tiles} tiles`, async () => {
      const backend = await nullBackend({ ...precision, tiles })
      for (const extents of [
        { B: 2, N: 9, D: 72, depth: 1, numHeads: 1 },
        { B: 1, N: 7, D: 30, depth: 1, numHeads: 2 },
        { B: 8, N: 256, D: 256, depth: 1, numHeads: 4 },
      ]) {
        const run = await training(backend, reference(), extents)
        const loss = run.step()
        expect(await loss.data()).toHaveLength(1)
        loss.dispose()
        run.dispose()
      }
      for (const [transposeA, transposeB] of [
        [false, false],
        [false, true],
        [true, false],
        [true, true],
      ]) {
        for (const extent of [3, 8, 400, 1400]) {
          const [a, b] = [0, 1].map(() => zeros([extent, extent], { backend }))
          const out = matmul(a, b, { transposeA, transposeB })
          expect(await out.data()).toHaveLength(extent ** 2)
          dispose([a, b, out])
        }
      }
      const image = zeros([2, 4, 6, 6], { backend })
      const params = {
        weight: zeros([8, 4, 3, 3], { backend }),
        gain: zeros([8], { backend }),
        bias: zeros([8], { backend }),
      }
      const { loss, gradients } = scope(() =>
        valueAndGrad(params, ({ weight, gain, bias }) => {
          const out = conv2d(image, weight, bias, { padding: 1 })
          return { loss: mean(square(upsample2x(groupNorm(out, gain, bias, { numGroups: 2, activation: 'silu' })))) }
        }),
      )
      expect(await loss.data()).toHaveLength(1)
      for (const [weight, options] of [
        [[8, 4, 1, 1], { activation: 'relu' }],
        [[8, 4, 3, 3], { activation: 'relu6', stride: 2 }],
        [[8, 2, 3, 3], { groups: 2 }],
        [[8, 2, 3, 3], { groups: 2, activation: 'relu6' }],
        [[8, 1, 3, 3], { groups: 4 }],
        [[8, 1, 3, 3], { groups: 4, activation: 'relu' }],
      ] as const) {
        for (const bias of [params.bias, null]) {
          const pooled = scope(() => {
            const out = conv2d(image, zeros(weight, { backend }), bias, { padding: 1, ...options })
            return averagePool2d(maxPool2d(out, { window: 2, stride: 1 }), { window: 2, stride: 1 })
          })
          expect(await pooled.data()).toHaveLength(pooled.size)
          pooled.dispose()
        }
      }
      const noise = randomNormal([7], randomStream(0), { backend })
      expect(await noise.data()).toHaveLength(7)
      expect(describeWebGpu(backend).kernels).toBeGreaterThan(50)
      dispose([image, params, loss, gradients, noise])
      await backend.dispose()
    })
  }
}
