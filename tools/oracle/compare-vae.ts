// Compares @dit/vae with what tools/oracle/diffusers-vae-real.py left in a folder.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { openSafetensorsFile } from '@dit/checkpoint/node'
import { type Tensor, tensor, toFloat32Array, useBackend } from '@dit/tensor'
import { decode, encode, loadVaeParams, vaeConfig } from '@dit/vae'

const [folder, engine = 'native'] = process.argv.slice(2)
if (folder === undefined || (engine !== 'native' && engine !== 'wasm')) {
  throw new Error('compare-vae: usage: compare-vae.ts <folder> [native|wasm]')
}
const backend = await useBackend(await cpu({ engine }))
const config = vaeConfig(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')))
const weights = await openSafetensorsFile(join(folder, 'diffusion_pytorch_model.safetensors'))
const params = await loadVaeParams(config, weights)
await weights.close()
const expected = await openSafetensorsFile(join(folder, 'expected.safetensors'))
const held = backend.memory().bytes

async function compare(name: string, got: Tensor): Promise<void> {
  const [values, wanted] = [await toFloat32Array(got), await expected.float32(name)]
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const error = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i])), 0)
  console.log(`${name}: largest difference ${error.toExponential(2)}, of values up to ${largest.toFixed(3)}`)
}

async function timed<T>(name: 'encode' | 'decode', run: () => T): Promise<T> {
  const start = performance.now()
  const result = run()
  const seconds = ((performance.now() - start) / 1000).toFixed(2)
  const { [name]: theirs, threads } = expected.metadata
  const megabytes = Math.round((backend.memory().peakBytes - held) / 1e6)
  console.log(
    `${name}: ${seconds} s on ${backend.name} (diffusers ${theirs} s, ${threads} threads), ${megabytes} MB beside the weights`,
  )
  return result
}

const input = async (name: string) => tensor(await expected.float32(name), expected.entries.get(name)!.shape)
const image = await input('image')
const { mean, logVariance } = await timed('encode', () => encode(config, params, image))
await compare('mean', mean)
await compare('log_variance', logVariance)
const z = await input('z')
await compare('decoded', await timed('decode', () => decode(config, params, z)))
await expected.close()
await backend.dispose()
