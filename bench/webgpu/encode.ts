import { parseArgs } from 'node:util'
import { describeWebGpu, webgpu } from '@dit/backend-webgpu'
import { nodeGpu } from '@dit/backend-webgpu/node'
import * as tf from '@tensorflow/tfjs-core'
import { globals } from 'webgpu'
import { loadTfjsGradients } from '../plain/tfjs.js'
import { CASE_NAMES, type CaseName, type Encode } from './cases.js'
import { type Calls, countCalls } from './count-calls.js'
import { OWN } from './own.js'
import { TFJS } from './tfjs.js'

// What work costs the processor before a card does anything: both engines on Dawn's null backend, which checks every call
// and computes nothing. Both are warmed up for the same time: what is asked is the cost of work that repeats, not that of
// V8 compiling it.

const { values } = parseArgs({
  options: { cases: { type: 'string' }, steps: { type: 'string', default: '50' }, json: { type: 'boolean' } },
})
const STEPS = Number(values.steps)
const WARM_UP_MILLISECONDS = 4000
const cases = (values.cases?.split(',') ?? CASE_NAMES) as CaseName[]
const unknown = cases.find((name) => !CASE_NAMES.includes(name))
if (unknown !== undefined || !(STEPS >= 1)) {
  console.error(`bench:webgpu: --cases must be of ${CASE_NAMES.join(', ')}, and --steps a number`)
  process.exit(2)
}

interface Cost {
  readonly case: CaseName
  readonly engine: string
  readonly dispatches: number
  readonly submits: number
  /** Of the calling thread, from the call to the last submit; the smallest, middle and largest of all steps. */
  readonly milliseconds: readonly number[]
  /** Of the whole process. */
  readonly cpuMilliseconds: number
  /** Of buffers, at the peak; of tfjs what its pool holds in the end. */
  readonly bytes: number
}

async function ours(name: CaseName): Promise<Cost> {
  const backend = await webgpu({ gpu: await nodeGpu({ backend: 'null' }), tiles: 'large' })
  const calls = () => describeWebGpu(backend)
  const cost = await measure(OWN[name](backend), calls)
  const { peakBytes } = backend.memory()
  await backend.dispose()
  return { case: name, engine: 'dit webgpu', ...cost, bytes: peakBytes }
}

/** Each case has a device and a pool of its own. */
async function theirs(name: CaseName): Promise<Cost> {
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu')
  const gpu = await nodeGpu({ backend: 'null' })
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true })
  const adapter = (await gpu.requestAdapter())!
  const device = await adapter.requestDevice()
  const counted = countCalls(device)
  const backend = new WebGPUBackend(device, adapter.info)
  const own = `webgpu-null-${name}`
  tf.registerBackend(own, () => backend)
  if (!(await tf.setBackend(own))) throw new Error('tfjs did not start on the null backend')
  // As its own kernels are registered for the name `webgpu`.
  tf.copyRegisteredKernels('webgpu', own)
  const cost = await measure(TFJS[name](), () => ({ ...counted }))
  return { case: name, engine: 'tfjs-backend-webgpu', ...cost, bytes: backend.memory().numBytesAllocatedInGPU }
}

/** Times the encoding of repeated work. */
async function measure(encode: Encode, calls: () => Calls): Promise<Omit<Cost, 'case' | 'engine' | 'bytes'>> {
  const step = async () => {
    const began = performance.now()
    const reading = encode()
    const taken = performance.now() - began
    await reading
    return taken
  }
  await step()
  const { dispatches: before, submits: submitted } = calls()
  await step()
  const { dispatches, submits } = calls()
  const end = performance.now() + WARM_UP_MILLISECONDS
  do await step()
  while (performance.now() < end)
  const taken: number[] = []
  const began = process.cpuUsage()
  for (let i = 0; i < STEPS; i++) taken.push(await step())
  const { user, system } = process.cpuUsage(began)
  taken.sort((a, b) => a - b)
  return {
    dispatches: dispatches - before,
    submits: submits - submitted,
    milliseconds: [taken[0], taken[taken.length >> 1], taken[taken.length - 1]],
    cpuMilliseconds: (user + system) / 1000 / STEPS,
  }
}

function lineOf({ case: name, engine, dispatches, submits, milliseconds, cpuMilliseconds, bytes }: Cost): string {
  const spread = milliseconds.map((value) => value.toFixed(2)).join(' / ')
  const each = ((1000 * milliseconds[1]) / dispatches).toFixed(1)
  return (
    `${name}, ${engine}: ${dispatches} dispatches, ${submits} submits, ${spread} ms to encode ` +
    `(least / middle / most of ${STEPS}), ${each} us a dispatch, ${cpuMilliseconds.toFixed(1)} ms of CPU time, ${bytes} bytes`
  )
}

const costs: Cost[] = []
const tell = (cost: Cost) => {
  costs.push(cost)
  if (values.json !== true) console.log(lineOf(cost))
}
// tfjs replaces globals of the process: ours come first.
for (const name of cases) tell(await ours(name))
Object.assign(globalThis, globals)
await loadTfjsGradients()
for (const name of cases) tell(await theirs(name))
if (values.json === true) console.log(JSON.stringify(costs))
process.exit(0)
