import { webgpu } from '@dit/backend-webgpu'
import { originRunStore } from '@dit/browser'
import { train } from '@dit/train-ddp'
import { data, model, recipe, STEPS, type TrainedAndSampled, trainAndSample } from './train-and-sample.js'

/** How a run in the page's storage went on. */
interface StoredRun {
  readonly resumedFrom: string | null
  readonly losses: readonly number[]
}

/** Trains in the page's storage with a checkpoint every two steps, and hangs after some of them as a tab that sleeps. */
async function trainInStorage(name: string, hangAfter: number | null): Promise<StoredRun> {
  const backend = await webgpu()
  const store = await originRunStore(name)
  const losses: number[] = []
  let resumedFrom: string | null = null
  const checkpoint = { every: 2 }
  for await (const event of train({ model, recipe, data, backend, seed: 0, steps: STEPS, store, checkpoint })) {
    if (event.type === 'start') resumedFrom = event.resumedFrom
    if (event.type !== 'step') continue
    losses.push(event.record.loss)
    if (losses.length === hangAfter) return { resumedFrom, losses } // the loop is left: nothing is saved any more
  }
  await backend.dispose()
  return { resumedFrom, losses }
}

/** On the page's graphics card. */
async function trainOnWebGpu(): Promise<TrainedAndSampled> {
  const backend = await webgpu()
  try {
    return await trainAndSample(backend)
  } finally {
    await backend.dispose()
  }
}

Object.assign(globalThis, { trainOnWebGpu, trainInStorage })
