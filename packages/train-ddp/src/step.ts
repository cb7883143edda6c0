import type { Communicator } from '@dit/collectives'
import { affine, type Backend, fill, mean, mul, scope, tensor, type Tensor, updateEma, valueAndGrad } from '@dit/tensor'
import { sliceBatch, type TrainBatch } from './batch.js'
import { averageDecayAt, emaDecayAt, learningRateAt } from './learning-rate.js'
import { grownLossScale } from './loss-scale.js'
import type { Drawn, Objective } from './objective/objective.js'
import type { TrainRecipe } from './recipe.js'
import type { StepRecord } from './run/log.js'
import type { TrainState } from './state.js'

/** What stays the same over a run. */
export interface StepSetting {
  readonly objective: Required<Objective>
  readonly recipe: TrainRecipe
  readonly backend: Backend
  readonly seed: number
  /** Length of the run, for the learning rate. */
  readonly steps: number
  /** Blocks that are computed twice instead of stored: none, all, or so many. */
  readonly recompute: 'none' | 'block' | number
  readonly communicator: Communicator
}

/** This worker's examples of a global batch. */
export interface BatchRows {
  readonly batch: TrainBatch
  /** Place of the first in the global batch. */
  readonly start: number
}

/**
 * One optimizer step on a global batch: forward and backward passes over the micro-batches of this worker's examples, the
 * sum over the workers, clipping, the optimizer, averages. Where the loss or the gradient is not finite, the state is left as it was.
 *
 * The objective's draws are functions of the seed, the step and the place in the global batch, so that they depend neither on the
 * size of the micro-batches nor on the number of workers. Gradients travel between workers during the last backward pass alone.
 */
export async function trainStep(
  setting: StepSetting,
  state: TrainState,
  { batch, start: firstRow }: BatchRows,
): Promise<StepRecord> {
  const { objective, recipe, communicator, seed } = setting
  const step = state.step + 1
  const total = recipe.batchSize
  if (state.lossScale !== null) setting.backend.lossScale = state.lossScale.value
  const drawn = objective.draw(state.objective, { seed, step, batchSize: total })
  // Every term of every example in the global batch; each worker fills in its own.
  const measured = new Float32Array(objective.terms.length * total)
  const own = batch.count
  if (own === 0) for (const segment of state.gradients.segments) fill(segment, 0)
  const microBatch = recipe.microBatchSize ?? recipe.batchSize
  for (let start = 0; start < own; start += microBatch) {
    const end = Math.min(start + microBatch, own)
    if (end === own) state.exchange?.begin()
    const values = await accumulateGradients(setting, state, sliceBatch(batch, start, end), {
      drawn,
      start: firstRow + start,
      step,
      total,
      isFirst: start === 0,
      onGradient: end === own ? state.exchange?.ready : undefined,
    })
    values.forEach((of, i) => measured.set(of, i * total + firstRow + start))
  }
  await state.exchange?.finish()
  // Others add zeros: every worker has the losses of the whole batch, exactly.
  await communicator.allReduce(measured).wait()

  const losses = measured.slice(0, total)
  const gradNorm = await state.optimizer.gradientNorm()
  const record: StepRecord = {
    step,
    ...meanTerms(objective.terms, measured, drawn, total),
    gradNorm,
    learningRate: learningRateAt(recipe, step, setting.steps),
    emaDecay: emaDecayAt(recipe, step),
    ...(state.lossScale === null ? {} : { lossScale: state.lossScale.value }),
    examples: step * recipe.batchSize,
  }
  if (!Number.isFinite(record.loss) || !Number.isFinite(gradNorm)) return record
  await update(recipe, state, record)
  state.objective = objective.learned(state.objective, drawn, losses)
  if (state.lossScale !== null) state.lossScale = grownLossScale(state.lossScale)
  state.step = step
  return record
}

/** Means over the global batch: of `loss` weighted by the draws' importance, of the other terms plain. */
function meanTerms(
  terms: Objective['terms'],
  measured: Float32Array,
  { importanceWeights }: Drawn,
  total: number,
): { loss: number } {
  const means: Record<string, number> = {}
  for (const [i, term] of terms.entries()) {
    means[term] = 0
    for (let row = 0; row < total; row++) {
      const value = measured[i * total + row]
      means[term] += (i === 0 ? value * importanceWeights[row] : value) / total
    }
  }
  return means as { loss: number }
}

/** What a micro-batch is a part of. */
interface MicroBatch {
  /** For the global batch. */
  readonly drawn: Drawn
  /** Place of its first example in the global batch. */
  readonly start: number
  readonly step: number
  /** Examples in the global batch. */
  readonly total: number
  /** Whether its gradients replace those of the step before, or are added to those of this step. */
  readonly isFirst: boolean
  readonly onGradient: ((name: string) => void) | undefined
}

/** Adds the gradients of a micro-batch; returns its examples' values of each term. */
async function accumulateGradients(
  { objective, backend, recompute, seed }: StepSetting,
  state: TrainState,
  batch: TrainBatch,
  { drawn, start, step, total, isFirst, onGradient }: MicroBatch,
): Promise<Float32Array[]> {
  const B = batch.count
  const ofBatch: Drawn = {
    timesteps: drawn.timesteps.slice(start, start + B),
    importanceWeights: drawn.importanceWeights.slice(start, start + B),
  }
  const { terms } = scope(() => {
    const weight = tensor(ofBatch.importanceWeights, [B], { backend })
    let numGradients = 0
    const { aux } = valueAndGrad(
      state.trainable.params,
      () => {
        const losses = objective.losses(state.params, batch, ofBatch, { seed, step, start, recompute, backend })
        const terms = checkTerms(objective.terms, losses, B)
        return { loss: affine(mean(mul(terms[0], weight)), B / total), terms }
      },
      {
        into: state.gradients.params,
        overwrite: isFirst,
        onGradient(name) {
          numGradients++
          onGradient?.(name)
        },
      },
    )
    if (numGradients === 0) throw new RangeError(NO_GRADIENT)
    return aux
  })
  const values: Float32Array[] = []
  for (const term of terms) values.push(Float32Array.from((await term.data()) as Float32Array))
  for (const term of new Set(terms)) term.dispose()
  return values
}

const NO_GRADIENT =
  'train: the loss depends on no parameter; compute it from the params that losses gets, with the same copy of @dit/tensor as the trainer'

/** The losses in the order of `terms`. */
function checkTerms(terms: Objective['terms'], losses: Readonly<Record<string, Tensor>>, B: number): Tensor[] {
  if (losses instanceof Promise) {
    // Its own error, if it has one, is not what is wrong.
    losses.catch(() => {})
    throw new TypeError('train: losses must not be async: it returned a Promise')
  }
  return terms.map((term) => {
    const { shape } = losses?.[term] ?? {}
    if (shape?.length === 1 && shape[0] === B) return losses[term]
    const came = shape === undefined ? 'nothing' : `[${shape.join(', ')}]`
    throw new RangeError(`train: losses must give ${term} of each example, [${B}] (got ${came})`)
  })
}

async function update(recipe: TrainRecipe, state: TrainState, record: StepRecord): Promise<void> {
  const { maxGradientNorm, averages = [], weightDecay } = recipe
  const gradientScale = maxGradientNorm === null ? 1 : Math.min(1, maxGradientNorm / (record.gradNorm + 1e-6))
  const { step, learningRate, emaDecay } = record
  const averageDecays = [emaDecay, ...averages.map((average) => averageDecayAt(average, step))]
  await state.optimizer.update({ step, learningRate, weightDecay, gradientScale, averageDecays })
  state.optimizer.averages.forEach((name, i) => {
    const { segments } = state.frozenAverages[name]
    // What does not move is its own average: rounding must not make it drift.
    if (segments === state.frozen.segments) return
    state.frozen.segments.forEach((parameter, j) => updateEma(segments[j], parameter, averageDecays[i]))
  })
}
