import { countedNetwork, type DiTConfig } from '@dit/model'
import { normals, randomStream } from '@dit/random'
import { countMultiplyAdds, planMemory } from '@dit/scaling'
import type { Dataset } from '@dit/data'
import { sampleShape } from '@dit/pipeline'
import { type BatchSource, type Objective, objectiveFromSpec, pictureBatch, singleCommunicator } from '@dit/train-ddp'
import type { Backend } from '@dit/tensor'
import { denoisingOf } from '../run/objective-config.js'
import type { RunPlan } from '../run/resolve-run.js'
import { workerPlan } from '../run/worker-plan.js'
import { formatCount, formatQuantity, formatRough } from '../terminal/format.js'
import { type Clock, steadyClock } from './clock.js'
import { fastestProduct } from './fastest-product.js'
import { probeSteps } from './probe.js'
import { measuredText } from './run-time.js'

/** How long a step of a planned training takes, and how that is known. */
export interface PlannedStep {
  /** `measured` with all examples of a worker, `scaled` from a part of them, or `counted` where not even that was run. */
  readonly how: 'measured' | 'scaled' | 'counted'
  readonly secondsPerStep: number
  /** Steps measured. */
  readonly steps: number
  /** Examples of a worker's step, and those that were run. */
  readonly examples: number
  readonly examplesRun: number
  /** FLOPs a second of the engine's fastest matrix product, and the share of them that a step reaches or is assumed to. */
  readonly peak: number
  readonly share: number
}

export interface PlanTimeOptions {
  readonly backend: Backend
  readonly workers: number
  /** Bytes that may be used. */
  readonly available: number
  readonly clock?: Clock
  /** As for `probeSteps`. */
  readonly probeSeconds?: number | null
}

/** Share of the fastest product that trainings reach, roughly: from 0.3 for small models to 0.6 for large ones. */
const TYPICAL_SHARE = 0.4
/** Seconds that a timed step should take at most, and those of one example above which nothing is run. */
const [STEP_SECONDS, MOST_SECONDS] = [3, 5]

/** What is timed of a training. */
export interface TimedTraining {
  readonly run: Pick<RunPlan, 'recipe' | 'seed' | 'recompute'>
  readonly objective: Objective
  readonly data: BatchSource
  /** FLOPs of a training step for one example. */
  readonly trainingFlops: number
  /** Examples, at most so many, that there is memory for; 0 where there is none for one. */
  readonly mostThatFit: (most: number) => number
}

/** `timeSteps` of a training of a DiT, on random pictures. */
export async function planStep(run: RunPlan, options: PlanTimeOptions): Promise<PlannedStep> {
  const { model } = denoisingOf(run, 'dit plan')
  const objective = objectiveFromSpec(run.objective)
  const { trainingFlops } = countMultiplyAdds(countedNetwork(model))
  const data = randomPictures(sampleShape(model), model.numClasses)
  const fit = (most: number) => mostThatFit(model, run, most, options.available)
  return timeSteps({ run, objective, data, trainingFlops, mostThatFit: fit }, options)
}

/**
 * Times steps of a training that is not there yet: all of a worker's examples, or so many of them as make a step of
 * a few seconds and fit into memory. Where one example would take too long or too much, its FLOPs are counted.
 *
 *   secondsPerStep = seconds of the examples run * examples / examplesRun
 *   counted        = examples FLOPs / (peak TYPICAL_SHARE)
 */
export async function timeSteps(
  { run, objective, data, trainingFlops, mostThatFit: fit }: TimedTraining,
  { backend, workers, clock = steadyClock, probeSeconds = null }: Omit<PlanTimeOptions, 'available'>,
): Promise<PlannedStep> {
  const examples = Math.ceil(run.recipe.batchSize / workers)
  const peak = await fastestProduct(backend, clock)
  const expected = trainingFlops / (peak * TYPICAL_SHARE)
  const few = Math.min(examples, Math.max(1, Math.floor(STEP_SECONDS / expected)))
  const examplesRun = expected > MOST_SECONDS ? 0 : fit(few)
  if (examplesRun === 0) {
    return {
      how: 'counted',
      secondsPerStep: examples * expected,
      steps: 0,
      examples,
      examplesRun,
      peak,
      share: TYPICAL_SHARE,
    }
  }
  const { seed, recompute } = run
  const recipe = partOf(run.recipe, examplesRun)
  const communicator = singleCommunicator()
  const training = { objective, recipe, data, backend, seed, recompute, communicator }
  const probe = await probeSteps(training, clock, probeSeconds)
  const perExample = probe.secondsPerStep / examplesRun
  return {
    how: examplesRun === examples ? 'measured' : 'scaled',
    secondsPerStep: perExample * examples,
    steps: probe.steps,
    examples,
    examplesRun,
    peak,
    share: trainingFlops / perExample / peak,
  }
}

/** A recipe for so many examples of a batch. */
function partOf(recipe: RunPlan['recipe'], batchSize: number): RunPlan['recipe'] {
  const { microBatchSize = batchSize } = recipe
  return { ...recipe, batchSize, microBatchSize: Math.min(microBatchSize, batchSize) }
}

/** Examples, at most so many, that a worker has memory for; 0 where it has none for one. */
function mostThatFit(model: DiTConfig, run: RunPlan, most: number, available: number): number {
  let count = most
  while (count > 0) {
    const part = { ...run, recipe: partOf(run.recipe, count) }
    if (planMemory(countedNetwork(model), workerPlan(model, part, 1)).total <= available) return count
    count = Math.floor(count / 2)
  }
  return 0
}

/** Batches of normal draws in place of pictures. */
export function randomPictures(shape: Dataset['shape'], numClasses: number): BatchSource {
  const size = shape[0] * shape[1] * shape[2]
  return {
    async rows(step, start, end) {
      const count = end - start
      const x0 = normals(randomStream(0, 'plan', step), count * size)
      const labels = Int32Array.from({ length: count }, (_, i) => i % numClasses)
      return pictureBatch(x0, labels, shape)
    },
  }
}

/** How the time of a step is known, for the user. */
export function howText({ how, steps, examples, examplesRun, peak, share }: PlannedStep, flops: number): string {
  const reached = `${Math.round(100 * share)} % of the ${formatQuantity(peak)}FLOP/s of this engine's fastest matrix product`
  const over = measuredText(steps)
  if (how === 'measured') return `${over}; they reach ${reached}`
  if (how === 'scaled') {
    return `${over} of ${formatCount(examplesRun)} of the ${formatCount(examples)} examples; they reach ${reached}`
  }
  return `not measured, since an example alone takes ${formatRough(flops / (peak * share))} or too much memory: ${formatQuantity(examples * flops)}FLOPs at ${reached}, which is typical`
}
