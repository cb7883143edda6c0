import { cpu } from '@dit/backend-cpu'
import { DeviceLostError, webgpu, WebGpuUnavailableError } from '@dit/backend-webgpu'
import { originRunStore } from '@dit/browser'
import type { Backend } from '@dit/tensor'
import { train } from '@dit/train-ddp'
import { data, objective, recipe, STEPS, type TrainedAndSampled, trainAndSample } from './train-and-sample.js'

/** How a run in the page's storage went on. */
interface StoredRun {
  readonly resumedFrom: string | null
  readonly losses: readonly number[]
}

/** Trains in the page's storage with a checkpoint every two steps. Losses can be seen as they come. */
async function trainInStorage(name: string): Promise<StoredRun> {
  const backend = await webgpu()
  const losses: number[] = []
  Object.assign(globalThis, { losses })
  const resumedFrom = await goOn(name, backend, (loss) => void losses.push(loss))
  await backend.dispose()
  return { resumedFrom, losses }
}

async function goOn(name: string, backend: Backend, onStep: (loss: number) => void): Promise<string | null> {
  const store = await originRunStore(name)
  let resumedFrom: string | null = null
  const checkpoint = { every: 2 }
  for await (const event of train({ objective, recipe, data, backend, seed: 0, steps: STEPS, store, checkpoint })) {
    if (event.type === 'start') resumedFrom = event.resumedFrom
    if (event.type === 'step') onStep(event.record.loss)
  }
  return resumedFrom
}

/** A run that lost its graphics device. */
interface LostRun {
  readonly error: string
  /** Of the steps before. */
  readonly losses: readonly number[]
}

/** Trains in the page's storage and loses the device after so many steps: before the next one, or in the middle of it. */
async function loseDevice(name: string, loseAfter: number, when: 'between' | 'within'): Promise<LostRun> {
  const adapter = (await navigator.gpu.requestAdapter())!
  const requestDevice = adapter.requestDevice.bind(adapter)
  let device: GPUDevice
  adapter.requestDevice = async (descriptor) => (device = await requestDevice(descriptor))
  const backend = await webgpu({ adapter })
  const losses: number[] = []
  const training = goOn(name, backend, (loss) => {
    if (losses.push(loss) !== loseAfter) return
    if (when === 'between') device.destroy()
    else loseWithNextSubmit(device)
  })
  const error: unknown = await training.then(
    () => null,
    (error: unknown) => error,
  )
  if (!(error instanceof DeviceLostError)) throw new Error('training must end in a DeviceLostError', { cause: error })
  await backend.dispose()
  return { error: error.message, losses }
}

/** Destroys the device when it has got its next work, and the step waits for what comes of it. */
function loseWithNextSubmit(device: GPUDevice): void {
  const submit = device.queue.submit.bind(device.queue)
  device.queue.submit = (commands) => {
    submit(commands)
    device.destroy()
  }
}

/** On the page's graphics card, or in WebAssembly where the page has none. */
async function trainWhereItCan(): Promise<TrainedAndSampled & { readonly why: string }> {
  let why = ''
  const backend = await webgpu().catch((error: unknown) => {
    if (!(error instanceof WebGpuUnavailableError)) throw error
    why = error.message
    return cpu()
  })
  const result = await trainAndSample(backend)
  await backend.dispose()
  return { ...result, why }
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

Object.assign(globalThis, { trainOnWebGpu, trainInStorage, loseDevice, trainWhereItCan })
