import { parseArgs } from 'node:util'
import { describeWebGpu, webgpu } from '@dit/backend-webgpu'
import { nodeGpu } from '@dit/backend-webgpu/node'
import { type DiTConfig, isTrainable, parameterShapes } from '@dit/model'
import { zeros } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { globals } from 'webgpu'
import { loadTfjsGradients } from './plain/tfjs.js'
import { plainTrainStep } from './tfjs-plain.js'
import { ADAM, createTrainer } from './workloads/training.js'

// What a training step costs the processor before a card does anything: both engines on Dawn's null backend, which checks
// every call and computes nothing. Widths do not matter, the number of blocks does. Both are warmed up for the same time:
// what is asked is the cost of a step that repeats, not that of V8 compiling it.

const { values } = parseArgs({ options: { steps: { type: 'string', default: '50' }, json: { type: 'boolean' } } })
const STEPS = Number(values.steps)
const WARM_UP_MILLISECONDS = 4000
const model: DiTConfig = {
  inputSize: 8,
  patchSize: 2,
  inChannels: 4,
  hiddenSize: 96,
  depth: 12,
  numHeads: 6,
  mlpRatio: 4,
  numClasses: 10,
  classDropout: 0.1,
  learnSigma: false,
}
const B = 4
const shape = [B, 4, 8, 8]

interface Cost {
  readonly engine: string
  readonly dispatches: number
  readonly submits: number
  /** Of the calling thread, from the call to the last submit; the smallest, middle and largest of all steps. */
  readonly milliseconds: readonly number[]
  /** Of the whole process. */
  readonly cpuMilliseconds: number
  readonly bytes: number
}

async function ours(): Promise<Cost> {
  const backend = await webgpu({ gpu: await nodeGpu({ backend: 'null' }), tiles: 'large' })
  const trainer = createTrainer(backend, model, 'none')
  const batch = {
    xt: zeros(shape, { backend }),
    noise: zeros(shape, { backend }),
    timesteps: Int32Array.from({ length: B }, (_, i) => i),
    labels: new Int32Array(B),
  }
  const step = async () => {
    const began = performance.now()
    const loss = trainer.gradients(batch)
    trainer.update()
    const reading = loss.data() // submits
    const taken = performance.now() - began
    await reading
    loss.dispose()
    return taken
  }
  const before = { ...describeWebGpu(backend) }
  await step()
  const one = describeWebGpu(backend)
  const cost = await measure(step)
  const { peakBytes } = backend.memory()
  await backend.dispose()
  return {
    engine: 'dit webgpu',
    dispatches: one.dispatches - before.dispatches,
    submits: one.submits - before.submits,
    ...cost,
    bytes: peakBytes,
  }
}

async function theirs(): Promise<Cost> {
  Object.assign(globalThis, globals)
  const gpu = await nodeGpu({ backend: 'null' })
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true })
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu')
  const adapter = (await gpu.requestAdapter())!
  const device = await adapter.requestDevice()
  const counted = countCalls(device)
  const backend = new WebGPUBackend(device, adapter.info)
  tf.registerBackend('webgpu-null', () => backend)
  await loadTfjsGradients()
  if (!(await tf.setBackend('webgpu-null'))) throw new Error('tfjs did not start on the null backend')
  // As its own kernels are registered for the name `webgpu`.
  tf.copyRegisteredKernels('webgpu', 'webgpu-null')
  const params: Record<string, tf.Variable> = {}
  for (const [name, own] of Object.entries(parameterShapes(model))) {
    const isTable = name.startsWith('y_embedder') || name === 'pos_embed'
    const size = own.reduce((product, extent) => product * extent, 1)
    const place = own.length > 1 && !isTable ? [size / own[0], own[0]] : [...own]
    params[name] = tf.variable(tf.zeros(place), isTrainable(model, name), name)
  }
  const adam = tf.train.adam(ADAM.learningRate, ADAM.beta1, ADAM.beta2, ADAM.epsilon)
  const batch = {
    xt: tf.zeros(shape),
    noise: tf.zeros(shape),
    timesteps: tf.tensor1d([0, 1, 2, 3], 'int32'),
    labels: tf.tensor1d([0, 0, 0, 0], 'int32'),
  }
  const step = async () => {
    const began = performance.now()
    const reading = plainTrainStep(model, params, adam, batch)
    const taken = performance.now() - began
    await reading
    return taken
  }
  await step()
  const before = { ...counted }
  await step()
  const [dispatches, submits] = [counted.dispatches - before.dispatches, counted.submits - before.submits]
  const cost = await measure(step)
  return { engine: 'tfjs-backend-webgpu', dispatches, submits, ...cost, bytes: backend.memory().numBytesAllocatedInGPU }
}

async function measure(step: () => Promise<number>): Promise<Pick<Cost, 'milliseconds' | 'cpuMilliseconds'>> {
  const end = performance.now() + WARM_UP_MILLISECONDS
  do await step()
  while (performance.now() < end)
  const taken: number[] = []
  const before = process.cpuUsage()
  for (let i = 0; i < STEPS; i++) taken.push(await step())
  const { user, system } = process.cpuUsage(before)
  taken.sort((a, b) => a - b)
  const milliseconds = [taken[0], taken[taken.length >> 1], taken[taken.length - 1]]
  return { milliseconds, cpuMilliseconds: (user + system) / 1000 / STEPS }
}

/** Counts dispatches and submits of whatever uses the device. */
function countCalls(device: GPUDevice): { dispatches: number; submits: number } {
  const counts = { dispatches: 0, submits: 0 }
  const passes = globals as unknown as { GPUComputePassEncoder: { prototype: GPUComputePassEncoder } }
  const { prototype } = passes.GPUComputePassEncoder
  const dispatch = Object.getOwnPropertyDescriptor(prototype, 'dispatchWorkgroups')!.value as (
    ...args: unknown[]
  ) => undefined
  prototype.dispatchWorkgroups = function (this: GPUComputePassEncoder, ...args: unknown[]) {
    counts.dispatches++
    return dispatch.apply(this, args)
  }
  const submit = device.queue.submit.bind(device.queue)
  Object.defineProperty(device.queue, 'submit', {
    value: (buffers: GPUCommandBuffer[]) => {
      counts.submits++
      return submit(buffers)
    },
  })
  return counts
}

const costs = [await ours(), await theirs()]
if (values.json === true) console.log(JSON.stringify(costs))
else {
  for (const { engine, dispatches, submits, milliseconds, cpuMilliseconds, bytes } of costs) {
    const spread = milliseconds.map((value) => value.toFixed(2)).join(' / ')
    const each = ((1000 * milliseconds[1]) / dispatches).toFixed(1)
    console.log(
      `${engine}: ${dispatches} dispatches, ${submits} submits, ${spread} ms to encode (least / middle / most of ${STEPS}), ${each} us a dispatch, ${cpuMilliseconds.toFixed(1)} ms of CPU time, ${bytes} bytes`,
    )
  }
}
process.exit(0)
