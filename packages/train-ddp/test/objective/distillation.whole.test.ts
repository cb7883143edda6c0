import { type Process, processFromSpec } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import { uniforms } from '@dit/random'
import { add, affine, type Params, randomNormal, randomStream, reference, scope, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import {
  denoising,
  distillation,
  dit,
  loadCheckpointParams,
  memoryRunStore,
  type Objective,
  pictureBatch,
  smallRecipe,
  wholeBatches,
} from '../../src/index.js'
import { losses, run, tinyModel } from '../setting.js'

const backend = reference()
const network = dit({ ...tinyModel, inputSize: 2, hiddenSize: 16, learnSigma: false, numClasses: 1 })
const spec = { kind: 'flow' } as const
const process: Process = processFromSpec(spec, 1)

/** Pictures that are all -1 or all 1, so that their mean, which is the best guess at pure noise, is none of them. */
const data = wholeBatches(async (step) => {
  const signs = uniforms(randomStream(1, 'signs', step), 32).map((u) => (u < 0.5 ? -1 : 1))
  return pictureBatch(
    Float32Array.from({ length: 128 }, (_, i) => signs[Math.floor(i / 4)]),
    new Int32Array(32),
    [1, 2, 2],
  )
})

async function trained(objective: Objective<never>, steps: number): Promise<Params> {
  const store = memoryRunStore()
  const recipe = { ...smallRecipe, batchSize: 32, warmupSteps: 10, learningRate: 5e-3, emaDecay: 0.98 }
  const seen = losses(await run({ objective, recipe, data, backend, seed: 3, steps, store }))
  expect(seen).toHaveLength(steps)
  return loadCheckpointParams(store, `checkpoints/step-${String(steps).padStart(7, '0')}`, 'ema', backend)
}

/** Deterministic DDIM of 64 pictures. */
async function drawn(params: Params, path: Path): Promise<number[]> {
  const denoise = process.denoiser((xt, timesteps) =>
    network.forward(params, { xt, timesteps, conditions: new Int32Array(64) }, { recompute: 'none' }),
  )
  let xt: Tensor = randomNormal([64, 1, 2, 2], randomStream(8, 'start'), { backend })
  for (const { from, to } of path.steps) {
    const start = xt
    xt = scope(() => {
      const { x0, noise } = denoise(start, from)
      return add(affine(x0, to.alpha), affine(noise, to.sigma))
    })
  }
  return [...(await xt.data())]
}

const distance = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length

test('students of four steps, two and one are twice as near to eight steps of the teacher as it comes itself in as many', async () => {
  let teacher = await trained(denoising(network, spec) as Objective<never>, 500)
  const first = teacher
  const goal = await drawn(first, process.path({ numSteps: 8 }))
  for (const numSteps of [4, 2, 1]) {
    const stage = { teacher, teacherDigest: `of ${2 * numSteps}`, startSteps: 8, numSteps }
    const objective = distillation(network, spec, stage)
    const student = await trained(objective as Objective<never>, 300)
    const [plain, distilled] = [first, student].map((params) => drawn(params, objective.path))
    const [far, near] = [distance(await plain, goal), distance(await distilled, goal)]
    expect(near).toBeLessThan(far / 2)
    teacher = student
  }
})
