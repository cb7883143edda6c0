import type { TensorFile } from '@dit/checkpoint'
import { adapterShapes, adaptWeights, type DiTConfig, tensorDigests, weightsDigest } from '@dit/model'
import {
  chosenParameters,
  type CompleteProcess,
  type DenoisingSpec,
  dit,
  type DiTSpec,
  type LowRankSpec,
  trainOnly,
} from '@dit/train-ddp'
import { planDistillation } from '../distill/plan-distillation.js'
import { describeProcess } from '@dit/pipeline'
import type { RunPlan } from '../run/resolve-run.js'
import { denoisingOf } from '../run/objective-config.js'
import { FINE_TUNE_SETTINGS } from '../settings/fine-tune-settings.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { checkInput, UsageError } from '../terminal/errors.js'
import type { FromConfig } from './from-config.js'
import { matchClasses } from './match-classes.js'
import type { StartingPoint } from './starting-point.js'

/** A run that begins from other weights, and those as it takes them. */
export interface FineTunePlan {
  readonly plan: RunPlan
  /** Of the network that is trained, under the official names. */
  readonly weights: TensorFile
}

/** Options that `config.json` keeps elsewhere. */
const ELSEWHERE = ['from', 'lora', 'loraAlpha']

const LABELS = 'y_embedder.embedding_table.weight'

/**
 * The highest learning rate of trained weights unless one is given, times their hidden size: 1e-3 at a width of 128, where it was measured
 * (docs/fine-tuning.md), and about the 1e-4 of the paper for DiT-XL. Adapters take ten times as much.
 */
const RATE_TIMES_WIDTH = 0.128

/** What adapters are for unless flags say. */
const TARGETS = 'attn,mlp'

/**
 * Checks what flags say of fine-tuning, and fits the weights to the run. Reads all weights once, for their checksum.
 *
 * @param classes of the data
 * @throws UsageError that names the flag
 */
export async function planFineTune(
  start: StartingPoint,
  flags: TrainFlags,
  plan: RunPlan,
  classes: readonly string[],
): Promise<FineTunePlan> {
  if (plan.objective.kind === 'distillation') return planDistillation(start, flags, plan, classes)
  const { source, config: before, model } = start
  const { model: config } = denoisingOf(plan, '--from')
  const { newRows = 'mean', positions, resetOutput = false } = flags
  const matched = matchClasses(model, classes, newRows)
  const { weights, replaced } = checkInput(() =>
    adaptWeights(model.weights, before, config, {
      classes: matched.rows,
      newRows,
      seed: plan.seed,
      resetOutput,
      ...(positions === undefined ? {} : { positions }),
    }),
  )
  if (positions !== undefined && !replaced.includes('pos_embed')) {
    throw new UsageError(`--positions ${positions}: the size is that of ${source}, so positions stay; leave it out`)
  }
  const own = await tensorDigests(model.weights)
  const made = await tensorDigests(weights, replaced)
  const keptDigests = new Map([...own].filter(([name]) => !replaced.includes(name)))
  const digest = await weightsDigest(new Map([...keptDigests, ...made]))
  const isNewRow = matched.rows.includes(null) || (before.classDropout === 0 && config.classDropout > 0)
  const fresh = replaced.filter((name) => (name === LABELS ? isNewRow : isFresh(name, start, flags, config)))
  const lora = loraOf(flags, config, fresh, digest)
  const recipe = recipeOf(flags, plan, config, lora !== null)
  const given = Object.keys(FINE_TUNE_SETTINGS).filter(
    (key) => !ELSEWHERE.includes(key) && flags[key as keyof TrainFlags] !== undefined,
  )
  const from: FromConfig = {
    source,
    title: model.title,
    sha256: await weightsDigest(own),
    kept: await weightsDigest(keptDigests),
    replaced,
    start: digest,
    changes: [
      ...matched.changes,
      ...otherChanges(start, plan, { replaced, flags }),
      ...(recipe.learningRate === plan.recipe.learningRate
        ? []
        : [
            `learning rate ${recipe.learningRate} in place of ${plan.recipe.learningRate}, for weights of this width (--lr)`,
          ]),
    ],
    given: Object.fromEntries(given.map((key) => [key, flags[key as keyof TrainFlags]])),
  }
  const objective = plan.objective as DenoisingSpec<DiTSpec, CompleteProcess>
  const network = lora === null ? objective.network : { ...objective.network, lora }
  return {
    weights,
    plan: { ...plan, from, objective: { ...objective, network }, recipe },
  }
}

/** Whether a tensor that is not as it was holds something that was never trained. */
function isFresh(name: string, { config: before }: StartingPoint, flags: TrainFlags, config: DiTConfig): boolean {
  if (name === 'pos_embed') return config.positions === 'learned'
  return flags.resetOutput === true || (config.learnSigma && !before.learnSigma)
}

/**
 * Adapters as flags describe them, or null.
 *
 * @param fresh names that there is nothing to adapt of: they are trained in full
 */
function loraOf(flags: TrainFlags, config: DiTConfig, fresh: readonly string[], base: string): LowRankSpec | null {
  const { lora: rank, loraAlpha, loraTargets, trainOnly: full } = flags
  if (rank === undefined) {
    for (const [flag, value] of Object.entries({ '--lora-alpha': loraAlpha, '--lora-targets': loraTargets })) {
      if (value !== undefined) throw new UsageError(`${flag} works only with --lora, the rank of the adapters`)
    }
    return null
  }
  const table = dit(config).parameters
  const chosen = [...fresh, ...(full?.split(',') ?? [])]
  const match = inFlag('--lora-targets', () => chosenParameters((loraTargets ?? TARGETS).split(','), table))
  const trained = inFlag('--train-only', () => (chosen.length === 0 ? null : chosenParameters(chosen, table)))
  const spec: LowRankSpec = { rank, alpha: loraAlpha ?? rank, match, trained, base }
  const shapes = Object.fromEntries(Object.entries(table).map(([name, { shape }]) => [name, shape]))
  inFlag('--lora', () => adapterShapes(shapes, spec))
  return spec
}

/** The recipe of a run that begins from trained weights: what is frozen, and another learning rate unless one was given. */
function recipeOf(flags: TrainFlags, { recipe }: RunPlan, config: DiTConfig, isLora: boolean): RunPlan['recipe'] {
  const most = ((isLora ? 10 : 1) * RATE_TIMES_WIDTH) / config.hiddenSize
  const learningRate = flags.lr ?? Math.min(recipe.learningRate, Number(most.toPrecision(2)))
  if (flags.trainOnly === undefined || isLora) return { ...recipe, learningRate }
  const group = inFlag('--train-only', () => trainOnly(flags.trainOnly!.split(','), dit(config).parameters))
  return { ...recipe, learningRate, groups: [group, ...(recipe.groups ?? [])] }
}

/** What happened to positions, the final layer and the process. */
function otherChanges(
  { config: before, process }: StartingPoint,
  plan: RunPlan,
  { replaced, flags }: { readonly replaced: readonly string[]; readonly flags: TrainFlags },
): string[] {
  const { model: config, process: now } = denoisingOf(plan, '--from')
  const changes: string[] = []
  if (replaced.includes('pos_embed')) {
    const how = flags.positions ?? (config.positions === 'learned' ? 'bicubic' : 'scaled')
    changes.push(`size ${sizeText(before)} -> ${sizeText(config)}: positions ${POSITIONS[how]} (--positions ${how})`)
  }
  if (flags.resetOutput === true) changes.push('the final layer begins anew, as zeros')
  else if (before.learnSigma !== config.learnSigma) {
    changes.push(
      config.learnSigma
        ? 'the final layer has new rows for the variance, which begin as zeros'
        : 'the final layer no longer has its rows for the variance',
    )
  }
  if (before.classDropout > 0 !== config.classDropout > 0) {
    changes.push(
      config.classDropout > 0
        ? 'there is a null class now, for guidance; its row begins as the mean of the others'
        : 'the null class is gone, and with it guidance',
    )
  }
  if (NOISE.some((field) => JSON.stringify(fieldOf(process, field)) !== JSON.stringify(fieldOf(now, field)))) {
    changes.push(
      `the process was ${describeProcess({ ...process })}, and is now ${describeProcess({ ...now })}: timesteps stand for other noise levels than the weights know`,
    )
  }
  return changes
}

const POSITIONS = {
  scaled: 'scaled to the range that was learned',
  extended: 'extended beyond the range that was learned',
  bicubic: 'of the old table resampled, bicubic',
  bilinear: 'of the old table resampled, bilinear',
}

/** Settings of a process that say how noisy a timestep is. */
const NOISE = ['kind', 'schedule', 'numTimesteps', 'betas', 'betaStart', 'betaEnd', 'interpolant', 'timestepScale']

function fieldOf(process: object, field: string): unknown {
  return (process as Readonly<Record<string, unknown>>)[field]
}

function sizeText({ inputSize }: DiTConfig): string {
  return typeof inputSize === 'number' ? String(inputSize) : inputSize.join('x')
}

/** Runs a check of a library on what a flag said. */
function inFlag<T>(flag: string, check: () => T): T {
  return checkInput(check, (message) => `${flag}: ${message.replace(/^\w+: /, '')}`)
}
