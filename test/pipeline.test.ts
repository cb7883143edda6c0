import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cpu } from '@dit/backend-cpu'
import { openSafetensorsFile } from '@dit/checkpoint/node'
import { forward, loadParams, nullLabel } from '@dit/model'
import { openWeights } from '@dit/model/node'
import { diffusersSampler, guided, lastStep } from '@dit/sampler'
import { type Backend, reference, tensor, toFloat32Array } from '@dit/tensor'
import { decode, loadVaeParams, unscaleLatents, vaeConfig } from '@dit/vae'
import { describe, expect, test } from 'vitest'

// A pipeline that diffusers itself saved, with the images that it drew: tools/oracle/diffusers-pipeline.py.
const folder = fileURLToPath(new URL('fixtures/pipeline/', import.meta.url))

/** As the oracle has them: case, folder of the scheduler, steps, guidance scale. */
const CASES = [
  ['ddim_guided', 'scheduler', 5, 4],
  ['ddim_plain', 'scheduler', 7, 1],
  ['dpm_guided', 'scheduler-dpm', 6, 2.5],
] as const

describe.each([reference(), await cpu({ engine: 'wasm', threads: 1 })])('on $name', (backend) => {
  test.each(CASES)('%s: the images are those of diffusers', async (name, scheduler, numSteps, scale) => {
    const { images, expected } = await draw(backend, name, scheduler, numSteps, scale)
    expect(images.shape).toEqual([2, 3, 8, 8])
    const values = await toFloat32Array(images)
    let largest = 0
    for (let b = 0; b < 2; b++) {
      for (let c = 0; c < 3; c++) {
        for (let pixel = 0; pixel < 64; pixel++) {
          const shown = Math.min(1, Math.max(0, values[(b * 3 + c) * 64 + pixel] / 2 + 0.5))
          largest = Math.max(largest, Math.abs(shown - expected[(b * 64 + pixel) * 3 + c]))
        }
      }
    }
    // A hundredth of the step between two bytes, 1/255: float32 through some dozens of layers, amplified by guidance.
    expect(largest).toBeLessThan(4e-5)
    const contrast = Math.max(...expected) - Math.min(...expected)
    expect(contrast).toBeGreaterThan(0.3)
  })
})

async function draw(backend: Backend, name: string, scheduler: string, numSteps: number, scale: number) {
  const weights = await openWeights(folder)
  const vaeFile = await openSafetensorsFile(join(folder, 'vae', 'diffusion_pytorch_model.safetensors'))
  const record = await openSafetensorsFile(join(folder, 'expected.safetensors'))
  try {
    const { config } = weights
    const params = await loadParams(weights, { backend })
    const vae = vaeConfig(JSON.parse(await readFile(join(folder, 'vae', 'config.json'), 'utf8')))
    const vaeParams = await loadVaeParams(vae, vaeFile, { backend })
    const sampler = diffusersSampler(await readFile(join(folder, scheduler, 'scheduler_config.json'), 'utf8'))
    const predict = guided((xt, timesteps, labels) => forward(config, params, { xt, timesteps, labels }), {
      labels: [3, 998],
      nullLabel: nullLabel(config)!,
      scale,
      channels: 'all',
    })
    const xT = tensor(await record.float32('latents'), [2, 4, 4, 4], { backend })
    const latents = await lastStep(sampler(predict, xT, { numSteps }))
    return { images: decode(vae, vaeParams, unscaleLatents(vae, latents)), expected: await record.float32(name) }
  } finally {
    for (const file of [weights, vaeFile, record]) await file.close()
  }
}
