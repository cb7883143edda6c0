import { readFileSync } from 'node:fs'
import { reference, scope, sizeOf, tensor, toFloat32Array } from '@dit/tensor'
import { expect, test } from 'vitest'
import { unetConfig, unetForward, unetParameterShapes } from '../src/index.js'

/** The formula of tools/oracle/diffusers-unet.py. */
function values(name: string, shape: readonly number[]): number[] {
  const seed = Array.from(name).reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
  return Array.from({ length: sizeOf(shape) }, (_, k) => 0.3 * Math.sin(0.37 * k * k + seed))
}

test('with weights and inputs of diffusers it computes what UNet2DModel computes', async () => {
  const want = JSON.parse(readFileSync(new URL('diffusers-unet.json', import.meta.url), 'utf8')) as number[]
  const backend = reference()
  const config = unetConfig({
    inputSize: 8,
    channels: 8,
    channelMultipliers: [1, 2],
    blocksPerLevel: 1,
    headChannels: 8,
    numGroups: 4,
    numClasses: 3,
  })
  const params = Object.fromEntries(
    Object.entries(unetParameterShapes(config)).map(([name, shape]) => [
      name,
      tensor(values(name, shape), shape, { backend }),
    ]),
  )
  const xt = tensor(values('xt', [2, 3, 8, 8]), [2, 3, 8, 8], { backend })
  const out = scope(() => unetForward(config, params, { xt, timesteps: [7, 431.5], labels: [2, 3] }))
  const got = await toFloat32Array(out)
  expect(want).toHaveLength(got.length)
  // Both compute in float64; the result is read as float32, and timestep features may be float32 as well.
  const largest = Math.max(...want.map(Math.abs))
  for (const [i, value] of got.entries()) expect(Math.abs(value - want[i])).toBeLessThan(2e-6 * largest)
})
