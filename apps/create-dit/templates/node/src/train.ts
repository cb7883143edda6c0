import { batchIndices, shapesDataset } from '@dit/data'
import { ditConfig } from '@dit/model'
import { openPipeline } from '@dit/pipeline/node'
import type { Backend } from '@dit/tensor'
import {
  classConditional,
  loadCheckpointParams,
  memoryRunStore,
  pictureBatch,
  picturesRecipe,
  train,
  wholeBatches,
} from '@dit/train-ddp'

const STEPS = 600

/**
 * Trains a small class-conditional DiT on generated pictures of six shapes, and writes it as one file, which says all that
 * sampling needs: the network, its process and the names of its classes.
 */
export async function trainShapes(path: string, backend: Backend): Promise<void> {
  const shapes = shapesDataset({ size: 16 })
  const network = ditConfig('DiT-S/8', {
    inputSize: 16,
    inChannels: 3,
    hiddenSize: 128,
    depth: 3,
    numHeads: 4,
    numClasses: shapes.classes.length,
    learnSigma: false,
  })
  // A network that predicts the clean picture (x0) shows something after so few steps; one that predicts the noise does not.
  const process = { schedule: 'squaredcos_cap_v2', meanType: 'x0', varianceType: 'fixedSmall' } as const
  const recipe = { ...picturesRecipe, warmupSteps: 50, emaDecay: 0.99 }

  const data = wholeBatches(async (step) => {
    const { indices } = batchIndices({ length: shapes.length, batchSize: recipe.batchSize, seed: 0, step })
    const { x0, labels } = await shapes.read(indices)
    return pictureBatch(x0, labels, shapes.shape)
  })
  const store = memoryRunStore() // `folderRunStore` of @dit/train-ddp/node keeps a run on the disk, where it can be resumed
  const objective = classConditional(network, process)
  for await (const event of train({ objective, recipe, data, backend, seed: 0, steps: STEPS, store })) {
    if (event.type === 'step' && event.record.step % 100 === 0) {
      console.log(`step ${event.record.step} of ${STEPS}: loss ${event.record.loss.toFixed(3)}`)
    }
    if (event.type === 'checkpoint' && event.step === STEPS) {
      const params = await loadCheckpointParams(store, event.path, 'ema', backend)
      const dit = await openPipeline({ network, params, process, classNames: shapes.classes }, { backend })
      await dit.save(path)
      dit.dispose()
    }
  }
}
