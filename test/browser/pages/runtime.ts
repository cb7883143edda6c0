import { compileAhead, webgpu } from '@dit/backend-webgpu'
import { forward, parameterShapes } from '@dit/model'
import { add, type Backend, dispose, full, scope } from '@dit/tensor'
import { model } from './train-and-sample.js'

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** A backend with the device behind it. */
async function backendWithDevice(): Promise<{ readonly backend: Backend; readonly device: GPUDevice }> {
  const adapter = (await navigator.gpu.requestAdapter())!
  const requestDevice = adapter.requestDevice.bind(adapter)
  let device: GPUDevice
  adapter.requestDevice = async (descriptor) => (device = await requestDevice(descriptor))
  const backend = await webgpu({ adapter })
  return { backend, device: device! }
}

/** The error of a tensor larger than the device can bind, and the limit. */
async function tooLarge(): Promise<{ readonly error: string; readonly limit: number }> {
  const backend = await webgpu()
  const limit = backend.maxBufferBytes
  let error = 'none'
  try {
    full([limit / 4 + 1], 0, { backend })
  } catch (failure) {
    error = messageOf(failure)
  }
  await backend.dispose()
  return { error, limit }
}

/** What reading gives when the device refuses something before it, and what it gives afterwards. */
async function refused(): Promise<{ readonly error: string; readonly after: readonly number[] }> {
  const { backend, device } = await backendWithDevice()
  const createBuffer = device.createBuffer.bind(device)
  // The memory of the next tensor is gone before it is used.
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor)
    buffer.destroy()
    return buffer
  }
  const broken = full([1000], 3, { backend })
  device.createBuffer = createBuffer
  const error = await broken.data().then((values) => `values ${values[0]}`, messageOf)
  const whole = scope(() => add(full([2000], 3, { backend }), full([2000], 3, { backend })))
  const after = Array.from(await whole.data()).slice(0, 2)
  await backend.dispose()
  return { error, after }
}

/** How a page fared while kernels were compiled. */
export interface Compilation {
  readonly kernels: number
  readonly milliseconds: number
  /** The longest that the page could do nothing else, as browsers report it from 50 ms on. */
  readonly longestTask: number
  /** Shares of the work that were done, as a timer of the page saw them. */
  readonly seen: readonly number[]
}

async function compile(): Promise<Compilation> {
  const backend = await webgpu()
  let longestTask = 0
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestTask = Math.max(longestTask, duration)
  })
  observer.observe({ type: 'longtask' })
  let share = 0
  const seen: number[] = []
  const timer = setInterval(() => seen.push(share), 10)
  const params = Object.fromEntries(
    Object.entries(parameterShapes(model)).map(([name, shape]) => [name, full(shape, 0.01, { backend })]),
  )
  const xt = full([2, 2, 8, 8], 0, { backend })
  const began = performance.now()
  const kernels = await compileAhead(
    backend,
    () => scope(() => void forward(model, params, { xt, timesteps: [1, 2], labels: [0, 1] })),
    { onProgress: ({ done, total }) => (share = done / total) },
  )
  const milliseconds = performance.now() - began
  clearInterval(timer)
  await new Promise((resolve) => {
    setTimeout(resolve, 100) // for the observer
  })
  observer.disconnect()
  dispose([params, xt])
  await backend.dispose()
  return { kernels, milliseconds, longestTask, seen }
}

Object.assign(globalThis, { tooLarge, refused, compile })
