import { gaussianProcess } from '@dit/diffusion'
import { type DiTConfig, forward } from '@dit/model'
import { normals, randomStream } from '@dit/random'
import { ddim, guided, lastStep, startNoise } from '@dit/sampler'
import { type Backend, dispose } from '@dit/tensor'
import {
  checkpointPath,
  classConditional,
  loadCheckpointParams,
  memoryRunStore,
  pictureBatch,
  smallRecipe,
  train,
  wholeBatches,
} from '@dit/train-ddp'

/** What a run of training and sampling gives, as plain data that can cross between a page and Node. */
export interface TrainedAndSampled {
  readonly engine: string
  readonly losses: readonly number[]
  /** `[2, 2, 8, 8]`: a sample of two classes after the last step. */
  readonly samples: readonly number[]
}

export const STEPS = 10
const BATCH = 4

export const model: DiTConfig = {
  inputSize: 8,
  patchSize: 2,
  inChannels: 2,
  hiddenSize: 48,
  depth: 2,
  numHeads: 3,
  mlpRatio: 4,
  numClasses: 3,
  classDropout: 0.1,
  learnSigma: true,
}
export const objective = classConditional(model)
export const recipe = { ...smallRecipe, batchSize: BATCH, learningRate: 1e-2, warmupSteps: 3, decay: 'linear' as const }
export const data = wholeBatches(async (step) => {
  const size = BATCH * model.inChannels * 8 ** 2
  const labels = Int32Array.from({ length: BATCH }, (_, i) => (step + i) % 3)
  return pictureBatch(normals(randomStream(1, 'x0'), size, step * size), labels, [model.inChannels, 8, 8])
})

/** Trains a tiny DiT from scratch for ten steps and samples from it in ten. The same code runs in Node and in a page. */
export async function trainAndSample(backend: Backend): Promise<TrainedAndSampled> {
  const store = memoryRunStore(new Map<string, Uint8Array>())
  const losses: number[] = []
  for await (const event of train({ objective, recipe, data, backend, seed: 0, steps: STEPS, store })) {
    if (event.type === 'step') losses.push(event.record.loss)
  }
  const params = await loadCheckpointParams(store, checkpointPath(STEPS), 'model', backend)
  const predict = guided((xt, timesteps, labels) => forward(model, params, { xt, timesteps, labels }), {
    labels: [0, 1],
    nullLabel: 3,
    scale: 1.5,
  })
  const process = gaussianProcess({ respacing: 'ddim10' })
  const xT = startNoise([2, 2, 8, 8], { seed: 0, backend })
  const samples = await lastStep(ddim(process.path(), process.denoiser(predict, { clipRange: 1 }), xT))
  const values = [...(await samples.data())]
  dispose([params, xT, samples])
  return { engine: backend.name, losses, samples: values }
}
