import { cpu } from '@dit/backend-cpu'
import { webgpu } from '@dit/backend-webgpu'
import { gaussianProcess } from '@dit/diffusion'
import { type DiTConfig, forward, parameterShapes } from '@dit/model'
import { normals, randomStream } from '@dit/random'
import { ddim, guided, lastStep, startNoise } from '@dit/sampler'
import { type Backend, dispose, tensor, toFloat32Array } from '@dit/tensor'
import { expect } from 'vitest'
import { testAdapter } from '../packages/backend-webgpu/test/drivers.js'
import { testNeeding } from './require.js'

const { options, why } = await testAdapter()
const test = testNeeding('vulkan', options !== null, why)

const model: DiTConfig = {
  inputSize: 8,
  patchSize: 2,
  inChannels: 3,
  hiddenSize: 32,
  depth: 2,
  numHeads: 2,
  mlpRatio: 4,
  numClasses: 4,
  classDropout: 0.1,
  learnSigma: false,
}

/** Two guided pictures of 50 steps; all weights are drawn, none is zero. */
async function pictures(backend: Backend): Promise<Float32Array> {
  const params = Object.fromEntries(
    Object.entries(parameterShapes(model)).map(([name, shape]) => {
      const size = shape.reduce((product, extent) => product * extent, 1)
      const scale = 1 / Math.sqrt(shape.length > 1 ? size / shape[0] : 16)
      const values = normals(randomStream(7, name), size).map((value) => scale * value)
      return [name, tensor(values, shape, { backend })]
    }),
  )
  const predict = guided((xt, timesteps, labels) => forward(model, params, { xt, timesteps, labels }), {
    labels: [1, 3],
    nullLabel: 4,
    scale: 2,
  })
  const process = gaussianProcess({ respacing: 'ddim50', varianceType: 'fixedSmall' })
  const xT = startNoise([2, 3, 8, 8], { seed: 0, backend })
  const samples = await lastStep(ddim(process.path(), process.denoiser(predict, { clipRange: 1 }), xT))
  const values = await toFloat32Array(samples)
  dispose([params, xT, samples])
  return values
}

test('pictures of 50 DDIM steps agree with those of the CPU kernels within 2/255', async () => {
  const [own, card] = [await cpu({ engine: 'wasm', threads: 1 }), await webgpu(options!)]
  const [want, got] = [await pictures(own), await pictures(card)]
  await own.dispose()
  await card.dispose()
  expect(want.some((value) => Math.abs(value) > 0.1)).toBe(true)
  // Pixels of 0 to 255 stand for -1 to 1.
  const largest = Math.max(...Array.from(want, (value, i) => Math.abs(value - got[i])))
  expect(largest * 127.5).toBeLessThan(2)
})
