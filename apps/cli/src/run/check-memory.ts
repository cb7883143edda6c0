import { memoryBytes } from '@dit/scaling'
import { type Job, singleJob } from '../job/job.js'
import { denoisingOrNull } from './objective-config.js'
import type { RunPlan } from './resolve-run.js'
import { UsageError } from '../terminal/errors.js'
import { formatBytes } from '../terminal/format.js'
import { machineMemory } from '../terminal/machine-memory.js'

/** Batches that are alive at once: the one in use and two that are read ahead. */
const BATCHES = 3

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
  const { recipe, recompute, shardOptimizer = false } = run
  const available = machine / localSize
  const share = Math.ceil(recipe.batchSize / size)
  const microBatch = Math.min(recipe.microBatchSize ?? share, share)
  const {
    activations,
    total: whole,
    optimizer,
    ema,
  } = memoryBytes(model, { batchSize: microBatch, training: true, recompute })
  const total = whole - (shardOptimizer ? (optimizer + ema) * (1 - 1 / size) : 0)
  const [height, width] = typeof model.inputSize === 'number' ? [model.inputSize, model.inputSize] : model.inputSize
  const batches = BATCHES * share * model.inChannels * height * width * Float32Array.BYTES_PER_ELEMENT
  const needed = total + batches
  if (needed <= available) return
  const weights = total - activations
  const isOneTooMany = activations / microBatch > available
  const pictureAdvice = isOneTooMany ? 'lower --size, --hidden or --depth, or raise --patch' : 'lower --micro-batch'
  // Whatever takes most is what to lower; activations go with both the model and the batch.
  const [largest, advice] = (
    [
      [weights, 'lower --hidden or --depth'],
      [activations, `${pictureAdvice}${recompute === 'block' ? '' : ', or use --recompute'}`],
      [batches, 'lower --batch or --size'],
    ] as const
  ).reduce((a, b) => (b[0] > a[0] ? b : a))
  const what = largest === weights ? 'the weights' : largest === batches ? 'the batches' : 'the activations'
  throw new UsageError(
    `training needs about ${formatBytes(needed)} of memory (${formatBytes(largest)} for ${what}), but ${localSize === 1 ? 'this machine has' : `each of ${localSize} workers here has`} ${formatBytes(available)}; ${advice}`,
  )
}
