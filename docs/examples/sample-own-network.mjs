// Pictures from a run of own-network.mjs: node docs/examples/sample-own-network.mjs <run>
import { readFile } from 'node:fs/promises'
import { cpu } from '@dit/backend-cpu'
import { ddim, lastStep, startNoise } from '@dit/sampler'
import { gaussianProcess } from '@dit/diffusion'
import { findCheckpoint, loadCheckpointParams } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { convolutions } from './own-network.mjs'

const store = folderRunStore(process.argv[2])
const { classes, data } = JSON.parse(await readFile(`${store.location}/config.json`, 'utf8'))
const shape = [3, data.size, data.size]
const backend = await cpu()
const { path } = await findCheckpoint(store)
const params = await loadCheckpointParams(store, path, 'ema', backend)

const network = convolutions(classes.length, shape)
const labels = Int32Array.from(classes.keys()) // one picture of each class
const predict = (xt, timesteps) => network.forward(params, { xt, timesteps, conditions: labels }, { recompute: 'none' })

const diffusion = gaussianProcess({ meanType: 'x0', varianceType: 'fixedSmall', respacing: 'ddim25' })
const denoise = diffusion.denoiser(predict, { clipRange: 1 })
const xT = startNoise([classes.length, ...shape], { seed: 0, backend })
const pictures = await lastStep(ddim(diffusion.path(), denoise, xT)) // [B, 3, H, W] in [-1, 1]
console.log(
  pictures.shape,
  [...(await pictures.data())].every((value) => Math.abs(value) <= 1),
)
await backend.dispose()
