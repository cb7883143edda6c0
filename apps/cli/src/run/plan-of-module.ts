import type { Dataset } from '@dit/data'
import { resolveEvaluation } from '../in-training/evaluation-config.js'
import { EVALUATION_SETTINGS } from '../settings/evaluation-settings.js'
import { flagOf } from '../settings/flag-of.js'
import { chosenRecipe } from '../settings/named-recipes.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { optionsOf } from './objective-flags.js'
import { type ModuleContext, type ObjectiveModule, openModule } from './objective-module.js'
import { requireDenoising, sampledProcess } from './own-objective.js'
import { resolveCommon, type RunPlan } from './resolve-run.js'

/**
 * What a module is told of a run.
 *
 * @param dataset that the run learns from; null where the module brings its own
 */
export function moduleContext(
  dataset: Pick<Dataset, 'classes' | 'shape'> | null,
  isLatents: boolean,
  others: Pick<ModuleContext, 'batchSize' | 'seed' | 'options'>,
): ModuleContext {
  if (dataset === null) return { classes: [], shape: null, ...others }
  const { classes, shape } = dataset
  const [channels, height, width] = shape
  // Latents lie there as means and deviations, of which one is drawn.
  return { classes, shape: isLatents ? [channels / 2, height, width] : shape, ...others }
}

/**
 * The run of an objective that a module makes.
 *
 * @param dataset that the run learns from; null where the module brings its own
 * @throws UsageError where the module fails, or flags ask for samples of what makes none
 */
export async function planOfModule(
  module: ObjectiveModule,
  flags: TrainFlags,
  workers: number,
  dataset: Pick<Dataset, 'classes' | 'shape'> | null,
): Promise<RunPlan> {
  const isLatents = flags.latents !== undefined
  const common = resolveCommon(flags, chosenRecipe(flags, 'module').name, workers, null)
  const { recipe, seed, heldOut } = common
  const others = { batchSize: recipe.batchSize, seed, options: optionsOf(flags) }
  const { config, objective } = await openModule(module, moduleContext(dataset, isLatents, others))
  const plan = { modelName: null, objective: config, ...common, sampleEvery: flags.sampleEvery ?? null }
  const sampled = (['sampleEvery', ...Object.keys(EVALUATION_SETTINGS)] as (keyof TrainFlags)[]).find(
    (key) => (flags[key] ?? null) !== null,
  )
  if (sampled === undefined) return plan
  const process = sampledProcess(requireDenoising(objective, module.path, flagOf(sampled)))
  const evaluation = resolveEvaluation(flags, { process, isLatents, holdsOut: heldOut !== undefined })
  return { ...plan, ...(evaluation === undefined ? {} : { evaluation }) }
}
