import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpu, describeCpu } from '@dit/backend-cpu'
import { openPipeline, toPng } from '@dit/pipeline/node'
import { trainShapes } from './train.js'

const OWN_MODEL = 'shapes.safetensors'

// Which model: a run of `dit train`, a file of weights, a diffusers folder, an address or hf:owner/name.
const [source = OWN_MODEL] = process.argv.slice(2)

const backend = await cpu()
const { engine, threads } = describeCpu(backend)
console.log(`engine: ${engine}, ${threads} threads`)

if (source === OWN_MODEL && !existsSync(OWN_MODEL)) {
  console.log(`there is no ${OWN_MODEL} yet: training a small one, which takes seconds`)
  await trainShapes(OWN_MODEL, backend)
}

const dit = await openPipeline(source, { backend })
await mkdir('pictures', { recursive: true })
for (const picture of await dit.pictures({ classes: 'all', guidance: 2, seed: 1 })) {
  const path = `pictures/${picture.className.replace(/[^\w-]+/g, '-')}.png`
  await writeFile(path, await toPng(picture))
  console.log(`${path}: ${picture.width} x ${picture.height} pixels`)
}
dit.dispose()
await backend.dispose()
