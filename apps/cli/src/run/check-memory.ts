import { countedNetwork } from '@dit/model'
import { planMemory } from '@dit/scaling'
import { type Job, singleJob } from '../job/job.js'
import { countTrained } from '../fine-tune/trained.js'
import { denoisingOrNull } from './objective-config.js'
import type { RunPlan } from './resolve-run.js'
import { workerPlan } from './worker-plan.js'
import { UsageError } from '../terminal/errors.js'
import { formatBytes } from '../terminal/format.js'
import { machineMemory } from '../terminal/machine-memory.js'

/**
 * Checks that a run fits into this machine's memory, before anything of it is made.
 *
 * @throws UsageError with the estimate, where it does not, and what to lower
 */
export function checkTrainingMemory(
  run: Pick<RunPlan, 'objective' | 'recipe' | 'recompute' | 'shardOptimizer'>,
  { communicator: { size }, localSize }: Pick<Job, 'communicator' | 'localSize'> = singleJob(),
  machine = machineMemory(),
): void {
  const denoising = denoisingOrNull(run)
  // What an objective of the user's needs is not known.
  if (denoising === null) return
  const { model } = denoising
  const available = machine / localSize
  const all = planMemory(countedNetwork(model), workerPlan(model, run, size))
  const { activations, batches } = all
  // What is frozen has no gradient, no moments and no average; an adapted weight is made anew, with a gradient of its own.
  const { trained, all: trainable, adapted } = countTrained(run)!
  const kept = all.gradients + all.optimizer + all.ema
  const saved = (1 - trained / trainable) * kept - 2 * adapted * Float32Array.BYTES_PER_ELEMENT
  const teacher = run.objective.kind === 'distillation' ? all.parameters : 0
  const total = all.total - saved + teacher
  if (total <= available) return
  const weights = all.parameters + kept - saved + teacher
  const share = Math.ceil(run.recipe.batchSize / size)
  const microBatch = Math.min(run.recipe.microBatchSize ?? share, share)
  const isOneTooMany = activations / microBatch > available
  const pictureAdvice = isOneTooMany ? 'lower --size, --hidden or --depth, or raise --patch' : 'lower --micro-batch'
  // Whatever takes most is what to lower; activations go with both the model and the batch.
  const [largest, advice] = (
    [
      [weights, 'lower --hidden or --depth'],
      [activations, `${pictureAdvice}${run.recompute === 'block' ? '' : ', or use --recompute'}`],
      [batches, 'lower --batch or --size'],
    ] as const
  ).reduce((a, b) => (b[0] > a[0] ? b : a))
  const what = largest === weights ? 'the weights' : largest === batches ? 'the batches' : 'the activations'
  throw new UsageError(
    `training needs about ${formatBytes(total)} of memory (${formatBytes(largest)} for ${what}), but ${localSize === 1 ? 'this machine has' : `each of ${localSize} workers here has`} ${formatBytes(available)}; ${advice}`,
  )
}
