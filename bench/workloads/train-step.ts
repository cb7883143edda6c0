import { type Backend, globalNorm, type Params, toFloat32Array } from '@dit/tensor'
import type { CaseFiles } from '../case-files.js'
import type { TrainStepSpec } from '../cases.js'
import type { Workload } from '../workload.js'
import { readInt32, readTensor, uploadInto } from './files.js'
import { createTrainer } from './training.js'

/** Training steps on one batch that stays the same. */
export async function trainStepWorkload(
  backend: Backend,
  { model, recompute }: TrainStepSpec,
  { weights, inputs }: CaseFiles,
): Promise<Workload> {
  const trainer = createTrainer(backend, model, recompute)
  await uploadInto(trainer.params, weights!)
  const batch = {
    xt: await readTensor(inputs, 'xt', backend),
    noise: await readTensor(inputs, 'noise', backend),
    timesteps: await readInt32(inputs, 'timesteps'),
    labels: await readInt32(inputs, 'labels'),
  }

  async function gradients(): Promise<number> {
    const loss = trainer.gradients(batch)
    const [value] = await toFloat32Array(loss)
    loss.dispose()
    return value
  }

  return {
    stateBytes: trainer.stateBytes,
    async verify() {
      const values: number[] = []
      for (let step = 0; step < 2; step++) {
        values.push(await gradients(), await normByTensor(trainer.gradientParams))
        trainer.update()
      }
      return values
    },
    async run() {
      await gradients()
      trainer.update()
    },
  }
}

/** One tensor at a time: the squares of a whole segment would be the peak of a step that recomputes. */
async function normByTensor(gradients: Params): Promise<number> {
  const norms: number[] = []
  for (const gradient of Object.values(gradients)) norms.push(await globalNorm([gradient]))
  return Math.hypot(...norms)
}
