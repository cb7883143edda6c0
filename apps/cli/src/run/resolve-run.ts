import { checkConfig, type ConditionSpec, DIT_NAMES, type DiTConfig, ditConfig } from '@dit/model'
import { checkRecipe, type CompleteProcess, type KnownSpec, objectiveFromSpec, type TrainRecipe } from '@dit/train-ddp'
import { asksForStudent, studentObjective } from '../distill/student-objective.js'
import { resolveEvaluation } from '../in-training/evaluation-config.js'
import { startingModel, startingProcess } from '../fine-tune/resolve-start.js'
import type { StartingPoint } from '../fine-tune/starting-point.js'
import { fieldsInFlags } from '../settings/in-flags.js'
import { chosenRecipe, NAMED_RECIPES, type RecipeName, withRecipe } from '../settings/named-recipes.js'
import { PROCESS_SETTINGS } from '../settings/process-settings.js'
import { didYouMean } from '../settings/suggest.js'
import { RECIPE_SETTINGS } from '../settings/recipe-settings.js'
import { keptFields, valueAt } from '../settings/run-setting.js'
import { withDefaults } from '../settings/setting.js'
import {
  DATA_SETTINGS,
  COMMON_SETTINGS,
  MODEL_SETTINGS,
  MODEL_DEFAULTS,
  TRAIN_DEFAULTS,
  type TrainFlags,
} from '../settings/train-settings.js'
import { checkInput, UsageError } from '../terminal/errors.js'
import { isFlow } from './objective-config.js'
import { checkLength } from './run-length.js'
import { resolveProcess } from './resolve-process.js'
import type { RunConfig } from './run-config.js'

/** Latents that a run is trained on in place of pictures. */
export interface LatentSize {
  readonly channels: number
  readonly size: number
}

/** What flags decide alone; the data decide the classes. */
export type RunPlan = Omit<RunConfig, 'format' | 'data' | 'classes' | 'engine' | 'versions'>

/** What flags decide whatever is trained. */
export type CommonPlan = Omit<RunPlan, 'modelName' | 'objective'>

/**
 * The run that flags describe, checked.
 *
 * @param numClasses of the data
 * @param workers that share a batch
 * @param latents what the data are in place of pictures; of them no grids of samples are made
 * @param start what the run begins from, whose network and process it has
 * @param conditions what the network is told in place of a class
 * @throws UsageError that names what cannot be
 */
export function resolveRun(
  given: TrainFlags,
  numClasses: number,
  workers = 1,
  latents?: LatentSize,
  start: StartingPoint | null = null,
  conditions?: readonly ConditionSpec[],
): RunPlan {
  const { name } = chosenRecipe(given, latents === undefined ? 'pictures' : 'latents')
  // Trained weights bring their own process and network.
  const size = latents?.size ?? given.size ?? TRAIN_DEFAULTS.size
  const flags = start === null ? withRecipe(given, name, size) : given
  const process = start === null ? resolveProcess(flags) : startingProcess(flags, start)
  const model =
    start === null
      ? resolveModel(flags, process, numClasses, latents, conditions)
      : startingModel(flags, start, process, { numClasses, latents })
  const objective: KnownSpec = asksForStudent(flags)
    ? studentObjective(flags, start, model, process)
    : {
        kind: 'denoising',
        network: { kind: 'dit', config: model },
        process,
        timestepSampler: flags.timestepSampler ?? TRAIN_DEFAULTS.timestepSampler,
      }
  checkInput(
    () => objective.kind === 'denoising' && objectiveFromSpec(objective),
    (message) => fieldsInFlags(message, { ...MODEL_SETTINGS, ...PROCESS_SETTINGS }),
  )
  const common = resolveCommon(flags, name, workers, model.depth)
  const holdsOut = common.heldOut !== undefined
  const evaluation = resolveEvaluation(flags, { process, isLatents: latents !== undefined, holdsOut })
  return {
    modelName: flags.model ?? null,
    objective,
    ...common,
    ...(latents === undefined ? {} : { sampleEvery: null }),
    ...(evaluation === undefined ? {} : { evaluation }),
  }
}

/** Fields of `config.json` in the order in which runs have them; others follow. */
const ORDER = ['flip', 'seed', 'steps', 'stepsFrom', 'checkpoint', 'heldOut', 'shardOptimizer', 'shardCheckpoint']

/**
 * The part of a run that does not depend on what is trained, checked.
 *
 * @param name of the recipe
 * @param depth of the model; null where only the trainer knows it
 * @throws UsageError that names what cannot be
 */
export function resolveCommon(flags: TrainFlags, name: RecipeName, workers: number, depth: number | null): CommonPlan {
  checkLength(flags)
  const recipe = resolveRecipe(flags, name, workers)
  checkWorkers(workers, recipe.batchSize)
  const { heldOut, ...fields } = keptFields(COMMON_SETTINGS, withDefaults(COMMON_SETTINGS, flags))
  const kept: Readonly<Record<string, unknown>> = flags.valShare === undefined ? fields : { heldOut, ...fields }
  if (flags.valShare === undefined && flags.valEvery !== undefined) {
    throw new UsageError('--val-every needs --val-share, the share of pictures to hold out')
  }
  checkRecompute(flags.recompute, depth)
  const names = new Set([...ORDER.filter((name) => name in kept), ...Object.keys(kept)])
  return { recipe, ...Object.fromEntries([...names].map((name) => [name, kept[name]])) } as unknown as CommonPlan
}

/**
 * Checks that every worker has something of a batch.
 *
 * @throws UsageError
 */
export function checkWorkers(workers: number, batchSize: number): void {
  if (workers <= batchSize) return
  throw new UsageError(`a batch of ${batchSize} is too small for ${workers} workers; raise --batch, or lower --workers`)
}

/**
 * Checks that a model has the blocks that `--recompute` counts.
 *
 * @throws UsageError
 */
export function checkRecompute(recompute: TrainFlags['recompute'], depth: number | null): void {
  if (typeof recompute !== 'number' || depth === null || recompute <= depth) return
  throw new UsageError(`--recompute ${recompute}: the model has only ${depth} block${depth === 1 ? '' : 's'}`)
}

function resolveRecipe(flags: TrainFlags, name: RecipeName, workers: number): TrainRecipe {
  const base: TrainRecipe = NAMED_RECIPES[name].training
  const microBatch = resolveMicroBatch(flags, flags.batch ?? base.batchSize, workers)
  const told = valueAt(keptFields(RECIPE_SETTINGS, { ...flags, microBatch }), 'recipe') as
    | Partial<TrainRecipe>
    | undefined
  const recipe: TrainRecipe = { ...base, ...told }
  checkInput(
    () => checkRecipe(recipe),
    (message) => fieldsInFlags(message, RECIPE_SETTINGS),
  )
  return recipe
}

/** Examples of a micro-batch, as `--micro-batch` or `--accumulate` say. */
function resolveMicroBatch({ microBatch, accumulate }: TrainFlags, batch: number, workers: number): number | undefined {
  if (accumulate === undefined) return microBatch
  if (microBatch !== undefined) {
    throw new UsageError('--accumulate and --micro-batch both split the batch; leave one of them out')
  }
  const share = Math.ceil(batch / workers)
  if (accumulate > share)
    throw new UsageError(`--accumulate ${accumulate}: each worker has only ${share} examples of a batch`)
  return Math.ceil(share / accumulate)
}

function resolveModel(
  flags: TrainFlags,
  process: CompleteProcess,
  numClasses: number,
  latents?: LatentSize,
  conditions?: readonly ConditionSpec[],
): DiTConfig {
  const told = valueAt(keptFields(MODEL_SETTINGS, flags), 'objective.network.config') as Partial<DiTConfig> | undefined
  const fixed = {
    inputSize: latents?.size ?? flags.size ?? TRAIN_DEFAULTS.size,
    inChannels: latents?.channels ?? 3,
    ...(conditions === undefined ? { numClasses } : { numClasses: 0, classDropout: 0, conditions }),
    learnSigma: !isFlow(process) && process.varianceType!.startsWith('learned'),
  }
  const { model } = flags
  if (model !== undefined && !(DIT_NAMES as readonly string[]).includes(model)) {
    throw new UsageError(`--model ${model}: it must be one of ${DIT_NAMES.join(', ')}${didYouMean(model, DIT_NAMES)}`)
  }
  const resolved = () => {
    const own = { ...fixed, ...told }
    const config = model === undefined ? ({ ...MODEL_DEFAULTS, ...own } as DiTConfig) : ditConfig(model, own)
    if (fixed.inputSize % config.patchSize !== 0) {
      throw new UsageError(
        `${latents === undefined ? '--size' : 'the side of the latents,'} ${fixed.inputSize} is not a multiple of the patch side, --patch ${config.patchSize}`,
      )
    }
    checkConfig(config)
    return config
  }
  return checkInput(resolved, (message) => fieldsInFlags(message, { ...MODEL_SETTINGS, ...DATA_SETTINGS }))
}
