import { webgpu } from '@dit/backend-webgpu'
import { type TrainedAndSampled, trainAndSample } from './train-and-sample.js'

/** On the page's graphics card. */
async function trainOnWebGpu(): Promise<TrainedAndSampled> {
  const backend = await webgpu()
  try {
    return await trainAndSample(backend)
  } finally {
    await backend.dispose()
  }
}

Object.assign(globalThis, { trainOnWebGpu })
