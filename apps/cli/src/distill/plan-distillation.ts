import { tensorDigests, weightsDigest } from '@dit/model'
import type { DistillationSpec, DiTSpec } from '@dit/train-ddp'
import { matchClasses } from '../fine-tune/match-classes.js'
import type { FineTunePlan } from '../fine-tune/plan-fine-tune.js'
import type { StartingPoint } from '../fine-tune/starting-point.js'
import type { RunPlan } from '../run/resolve-run.js'
import type { TrainFlags } from '../settings/train-settings.js'
import { UsageError } from '../terminal/errors.js'

/**
 * The highest learning rate of a student unless one is given, times its hidden size, as for other trained weights (docs/fine-tuning.md); it
 * falls to nothing over the stage, which the steps of a teacher need to be met.
 */
const RATE_TIMES_WIDTH = 0.128

/**
 * A run whose objective is a student, with its teacher. Reads all weights of the teacher once, for their checksum.
 *
 * @param classes of the data
 * @throws UsageError where the data have other classes than the teacher
 */
export async function planDistillation(
  { source, model }: StartingPoint,
  flags: TrainFlags,
  plan: RunPlan,
  classes: readonly string[],
): Promise<FineTunePlan> {
  const objective = plan.objective as DistillationSpec<DiTSpec>
  const { hiddenSize, numClasses } = objective.network.config
  const { rows, changes } = matchClasses(model, classes, 'mean')
  if (classes.length !== model.names.length || rows.some((row, label) => row !== label)) {
    const found = classes.length === model.names.length ? 'others' : String(numClasses)
    throw new UsageError(
      `--data has other classes than ${source}, the teacher: it must have the same ${model.names.length}, in their order (got ${found})`,
    )
  }
  const digest = await weightsDigest(await tensorDigests(model.weights))
  const { recipe } = plan
  const course = flags.decay === undefined ? ({ decay: 'linear', finalLearningRate: flags.finalLr ?? 0 } as const) : {}
  const most = Number((RATE_TIMES_WIDTH / hiddenSize).toPrecision(2))
  return {
    weights: model.weights,
    plan: {
      ...plan,
      objective: { ...objective, teacher: digest },
      recipe: { ...recipe, ...course, learningRate: flags.lr ?? Math.min(recipe.learningRate, most) },
      from: {
        source,
        title: model.title,
        sha256: digest,
        kept: digest,
        replaced: [],
        start: digest,
        changes: [...changes, studentText(objective)],
        given: flags.fromWeights === undefined ? {} : { fromWeights: flags.fromWeights },
      },
    },
  }
}

function studentText({ process, network, isFirst, guidanceScale }: DistillationSpec<DiTSpec>): string {
  const { numSteps, startSteps } = process.distilled!
  const range = network.config.guidanceRange
  const guidance = isFirst
    ? `, guided by scales of ${range!.join(' to ')}, an input`
    : guidanceScale === 1
      ? ''
      : `, guided by ${guidanceScale}`
  return `it teaches a student of ${numSteps} ${numSteps === 1 ? 'step' : 'steps'} by twice as many of a path of ${startSteps}${guidance}`
}
