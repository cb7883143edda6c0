import { cpu, type CpuDescription, describeCpu, type InstructionSet } from '@dit/backend-cpu'
import { normals, randomStream } from '@dit/random'
import { classConditional, memoryRunStore, pictureBatch, smallRecipe, train, wholeBatches } from '@dit/train-ddp'

/** What a training run leaves, as plain data that can cross between a page, its worker and Node. */
export interface TenSteps extends CpuDescription {
  readonly losses: readonly number[]
  /** SHA-256 of each file of the run: parameters, averages, moments, counters and log. */
  readonly digests: Readonly<Record<string, string>>
}

const STEPS = 10
const BATCH = 4
const CLASSES = 3

const model = {
  inputSize: 8,
  patchSize: 2,
  inChannels: 2,
  hiddenSize: 48,
  depth: 2,
  numHeads: 3,
  mlpRatio: 4,
  numClasses: CLASSES,
  classDropout: 0.1,
  learnSigma: true,
}
const objective = classConditional(model)
// Versions of V8 differ in the last bit of about 3% of all cosines, and the log keeps learning rates in float64: with the
// decay of `smallRecipe` a run would depend on the version. What else uses them is rounded to float32, which hides the bit.
const recipe = { ...smallRecipe, batchSize: BATCH, learningRate: 1e-2, warmupSteps: 3, decay: 'linear' as const }
const data = wholeBatches(async (step) => {
  const size = BATCH * model.inChannels * model.inputSize ** 2
  const labels = Int32Array.from({ length: BATCH }, (_, i) => (step + i) % CLASSES)
  return pictureBatch(normals(randomStream(1, 'x0'), size, step * size), labels, [model.inChannels, 8, 8])
})

/** Trains a tiny DiT for ten steps on the WebAssembly kernels. The same code runs in Node and in every page. */
export async function tenSteps(threads: number, instructionSet: InstructionSet = 'relaxed-simd'): Promise<TenSteps> {
  const backend = await cpu({ instructionSet, threads })
  try {
    const files = new Map<string, Uint8Array>()
    const store = memoryRunStore(files)
    const losses = []
    for await (const event of train({ objective, recipe, data, backend, seed: 0, steps: STEPS, store })) {
      if (event.type === 'step') losses.push(event.record.loss)
    }
    const digests: Record<string, string> = {}
    for (const path of files.keys()) digests[path] = (await store.inspect(path))!.sha256
    return { ...describeCpu(backend), losses, digests }
  } finally {
    await backend.dispose()
  }
}

/** How many threads a backend has that is made with these options. */
export async function threadsOf(threads: number | 'auto'): Promise<number> {
  const backend = await cpu({ threads })
  const description = describeCpu(backend)
  await backend.dispose()
  return description.threads
}
