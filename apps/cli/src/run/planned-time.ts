import { countedNetwork } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import type { PlanFlags } from '../commands/plan.js'
import { chosenBackend } from '../engines/engine-options.js'
import { type EngineDescription, engineText, openEngine } from '../engines/open-engine.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { formatQuantity } from '../terminal/format.js'
import { machineMemory } from '../terminal/machine-memory.js'
import { type Clock, steadyClock } from '../time/clock.js'
import { howText, type PlannedStep, planStep, randomPictures, timeSteps } from '../time/plan-time.js'
import { type Extras, extrasOf, runTime, type RunTime, stepsWithin, timeText } from '../time/run-time.js'
import { measuredPictures, MOST_MEASURED } from './held-out.js'
import { denoisingOf } from './objective-config.js'
import type { PlannedData, PlannedTraining } from './plan-training.js'
import { plannedModule } from './planned-module.js'
import { resolveRun } from './resolve-run.js'
import { stepsOfEpochs } from './run-length.js'
import { gridPictures } from './sample-grid.js'

/** How long a planned training would take on this machine. */
export interface PlannedTime extends PlannedStep {
  readonly engine: EngineDescription
  readonly workers: number
  readonly batchSize: number
  /** FLOPs of a training step for one example. */
  readonly flops: number
  /** Length of the run. */
  readonly length: number
  readonly time: RunTime
  /** Work beside the steps. */
  readonly extras: Extras
}

/**
 * Opens the engine of a planned training and times its first steps, where they fit.
 *
 * @param probeSeconds for how long; default: half a second and three steps
 * @throws Failure where the engine cannot be opened
 */
export async function planTime(
  flags: PlanFlags,
  { classes, latents, pictures }: PlannedData,
  {
    workers,
    available,
    probeSeconds = null,
  }: Pick<PlannedTraining, 'workers' | 'available'> & { readonly probeSeconds?: number | null },
  clock: Clock = steadyClock,
): Promise<PlannedTime> {
  const run = resolveRun(flags, classes, workers, latents)
  const { batchSize } = run.recipe
  const { model } = denoisingOf(run, 'dit plan')
  const share = run.heldOut?.share ?? 0
  const trained = pictures === undefined ? undefined : Math.round(pictures * (1 - share))
  const { backend, description } = await openEngine(chosenBackend(flags), { ...flags, workers: 1 })
  try {
    const room = Math.min(available, machineMemory())
    const step = await planStep(run, { backend, workers, available: room, clock, probeSeconds })
    const { secondsPerStep } = step
    const count = pictures === undefined ? MOST_MEASURED : Math.ceil(pictures * share)
    const extras = extrasOf(run, secondsPerStep, {
      workers,
      gridPictures: gridPictures(classes),
      measuredPictures: measuredPictures({ count }),
    })
    const length =
      flags.minutes !== undefined
        ? stepsWithin(60 * flags.minutes, secondsPerStep, extras)
        : flags.epochs === undefined
          ? run.steps
          : stepsOfEpochs(flags.epochs, trained!, batchSize)
    const flops = countMultiplyAdds(countedNetwork(model)).trainingFlops
    const time = runTime(secondsPerStep, extras, length)
    return { ...step, engine: description, workers, batchSize, flops, length, time, extras }
  } finally {
    await backend.dispose()
  }
}

/** How fast the steps of a model are, and what there is beside them. */
export interface ModelPace {
  readonly secondsPerStep: number
  readonly extras: Extras
}

/**
 * Opens the engine of a planned training of a module and times its first steps: on random pictures, or the data that it brings.
 *
 * @param multiplyAdds of a forward pass for one example
 * @throws Failure where the engine cannot be opened
 */
export async function planModuleTime(
  flags: TrainFlags,
  { pictures }: PlannedData,
  multiplyAdds: number,
  clock: Clock = steadyClock,
): Promise<ModelPace> {
  const { plan: run, objective, batches, shape, classes } = await plannedModule(flags)
  const { backend } = await openEngine(chosenBackend(flags), { ...flags, workers: 1 })
  try {
    const data = batches ?? randomPictures(shape!, classes.length)
    // What a network of a module keeps in memory is not known: the examples of a step are tried as they are.
    const training = { run, objective, data, trainingFlops: 6 * multiplyAdds, mostThatFit: (most: number) => most }
    const { secondsPerStep } = await timeSteps(training, { backend, workers: 1, clock })
    const count = pictures === undefined ? MOST_MEASURED : Math.ceil(pictures * (run.heldOut?.share ?? 0))
    const extras = extrasOf(run, secondsPerStep, {
      workers: 1,
      gridPictures: gridPictures(classes.length),
      measuredPictures: measuredPictures({ count }),
    })
    return { secondsPerStep, extras }
  } finally {
    await backend.dispose()
  }
}

export function plannedTimeLines(planned: PlannedTime): string[] {
  const { engine, workers, batchSize, flops, length, time, secondsPerStep } = planned
  const each = workers === 1 ? '' : `, with each of the ${workers} workers on a machine like this one`
  return [
    `time with ${engineText(engine)}${each}`,
    timeText(time, secondsPerStep, howText(planned, flops), length),
    `${Number((batchSize / secondsPerStep).toPrecision(3))} examples/s, ${formatQuantity(batchSize * flops)}FLOPs a step`,
  ]
}
