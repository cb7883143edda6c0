import type { Dataset } from '@dit/data'
import type { BatchSource, Objective } from '@dit/train-ddp'
import { TRAIN_DEFAULTS, type TrainFlags } from '../settings/train-settings.js'
import type { Output } from '../terminal/output.js'
import { checkModuleFlags, optionsOf } from './objective-flags.js'
import { importObjective, openModule } from './objective-module.js'
import { openData } from './open-data.js'
import { moduleContext, planOfModule } from './plan-of-module.js'
import type { RunPlan } from './resolve-run.js'

/** A training of the objective of a module that has not begun. */
export interface PlannedModule {
  readonly plan: RunPlan
  readonly objective: Objective
  /** Batches that the module brings in place of pictures. */
  readonly batches: BatchSource | null
  readonly shape: Dataset['shape'] | null
  readonly classes: readonly string[]
}

/** Nothing is told of pictures that are only counted. */
const SILENT = { line() {}, notice() {} } as unknown as Output

/**
 * The training that flags with `objective` describe. The data are opened and closed again.
 *
 * @throws UsageError where `dit train` would refuse the flags
 */
export async function plannedModule(flags: TrainFlags): Promise<PlannedModule> {
  const module = await importObjective(flags.objective!)
  checkModuleFlags(flags, module.data !== null)
  const { data, size, flip, skipBad, background, maxPixels, checkFiles, classNames } = { ...TRAIN_DEFAULTS, ...flags }
  const pictures =
    flags.latents === undefined
      ? { data, size, skipBad, background, maxPixels, checkFiles, classNames }
      : { latents: flags.latents, flip }
  const opened = await openData(module.data === null ? pictures : { module: true }, SILENT)
  try {
    const { dataset } = opened
    const plan = await planOfModule(module, flags, 1, dataset)
    const { recipe, seed } = plan
    const others = { batchSize: recipe.batchSize, seed, options: optionsOf(flags) }
    const context = moduleContext(dataset, flags.latents !== undefined, others)
    const { objective, batches } = await openModule(module, context)
    return { plan, objective, batches, shape: context.shape, classes: context.classes }
  } finally {
    await opened.close()
  }
}
