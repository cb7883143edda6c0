// Compares @dit/features with what tools/oracle/features.py --files left in a folder, and times both networks.
//
//     node --import ./tools/typescript.mjs tools/oracle/compare-features.ts FOLDER [native|wasm|webgpu] [lite0.pth]
import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { webgpu } from '@dit/backend-webgpu'
import { nodeGpu } from '@dit/backend-webgpu/node'
import { openSafetensorsFile } from '@dit/checkpoint/node'
import type { FeatureExtractor, Pictures } from '@dit/features'
import { openExtractor } from '@dit/features/node'
import { formulaPictures } from '../../packages/features/test/formula.js'

const [folder, engine = 'native', lite0] = process.argv.slice(2)
if (folder === undefined || !['native', 'wasm', 'webgpu'].includes(engine)) {
  throw new Error('compare-features: usage: compare-features.ts FOLDER [native|wasm|webgpu] [lite0.pth]')
}
const backend =
  engine === 'webgpu' ? await webgpu({ gpu: await nodeGpu() }) : await cpu({ engine: engine as 'native' | 'wasm' })

async function compare(extractor: FeatureExtractor, fixture: string): Promise<void> {
  const expected = await openSafetensorsFile(join(folder, `${fixture}.safetensors`))
  const layers = extractor.layers.map(({ name }) => name)
  const features = await extractor.extract(formulaPictures(1, 48, 40), layers)
  for (const layer of layers) {
    const [got, want] = [features[layer].data, await expected.float32(layer)]
    const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const error = want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0) / largest
    console.log(`${fixture} ${layer}: ${error.toExponential(1)} of the largest value`)
  }
  await expected.close()
}

/** Seconds and CPU seconds a picture, resizing included, after one batch to warm up. */
async function time(extractor: FeatureExtractor, pictures: Pictures, layer: string): Promise<void> {
  await extractor.extract(pictures, [layer])
  const [start, cpuStart] = [performance.now(), process.cpuUsage()]
  let count = 0
  while (performance.now() - start < 10_000) {
    await extractor.extract(pictures, [layer])
    count += pictures.count
  }
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpuStart)
  const cpuSeconds = ((user + system) / 1e6 / count).toFixed(4)
  console.log(
    `${extractor.name} on ${backend.name}: ${(count / seconds).toFixed(2)} pictures a second, ${cpuSeconds} CPU seconds each`,
  )
}

const inception = await openExtractor(join(folder, 'inception-by-formula.pth'), { backend })
console.log(inception.name, inception.fingerprint)
await compare(inception, 'inception')
if (engine !== 'webgpu') await time(inception, formulaPictures(8, 48, 40), '2048')
inception.dispose()
if (lite0 !== undefined) {
  const network = await openExtractor(lite0, { backend })
  console.log(network.name, network.fingerprint)
  await compare(network, 'lite0-published')
  if (engine !== 'webgpu') await time(network, formulaPictures(16, 48, 40), 'logits')
  network.dispose()
}
await backend.dispose()
