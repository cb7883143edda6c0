import { dropLabels } from '@dit/adaln'
import type { Communicator } from '@dit/collectives'
import { type GaussianDiffusion, trainingLosses } from '@dit/diffusion'
import { type DiTConfig, forward, nullLabel } from '@dit/model'
import { integers, randomStream, uniforms } from '@dit/random'
import { drawTimesteps, lossHistoryWeights, type SampledTimesteps, updateLossHistory } from '@dit/schedules'
import {
  affine,
  type Backend,
  fill,
  mean,
  mul,
  randomNormal,
  scope,
  tensor,
  updateEma,
  valueAndGrad,
} from '@dit/tensor'
import { sliceBatch, type TrainBatch } from './batch.js'
import { emaDecayAt, learningRateAt } from './learning-rate.js'
import { grownLossScale } from './loss-scale.js'
import type { TrainRecipe } from './recipe.js'
import type { StepRecord } from './run/log.js'
import type { TrainState } from './state.js'

/** What stays the same over a run. */
export interface StepSetting {
  readonly model: DiTConfig
  readonly recipe: TrainRecipe
  readonly diffusion: GaussianDiffusion
  readonly backend: Backend
  readonly seed: number
  /** Length of the run, for the learning rate. */
  readonly steps: number
  /** Blocks that are computed twice instead of stored: none, all, or so many. */
  readonly recompute: 'none' | 'block' | number
  readonly communicator: Communicator
}

/** This worker's examples of a global batch. */
export interface BatchRows extends TrainBatch {
  /** Place of the first in the global batch. */
  readonly start: number
}

/**
 * One optimizer step on a global batch: forward and backward passes over the micro-batches of this worker's examples, the
 * sum over the workers, clipping, AdamW, EMA. Where the loss or the gradient is not finite, the state is left as it was.
 *
 * Draws (timesteps, noise, label dropout) are functions of the seed, the step and the place in the global batch, so
 * that they depend neither on the size of the micro-batches nor on the number of workers. Gradients travel between workers
 * during the last backward pass alone.
 */
export async function trainStep(setting: StepSetting, state: TrainState, rows: BatchRows): Promise<StepRecord> {
  const { recipe, communicator } = setting
  const step = state.step + 1
  const total = recipe.batchSize
  if (state.lossScale !== null) setting.backend.lossScale = state.lossScale.value
  const drawn = drawBatchTimesteps(setting, state, total, step)
  // Of every example in the global batch: loss, squared error, variational term; each worker fills in its own.
  const measured = new Float32Array(3 * total)
  const own = rows.labels.length
  if (own === 0) for (const segment of state.gradients.segments) fill(segment, 0)
  const microBatch = recipe.microBatchSize ?? recipe.batchSize
  let terms: readonly string[] = []
  for (let start = 0; start < own; start += microBatch) {
    const end = Math.min(start + microBatch, own)
    if (end === own) state.exchange?.begin()
    const result = await accumulateGradients(setting, state, sliceBatch(rows, start, end), {
      drawn,
      start: rows.start + start,
      step,
      total,
      isFirst: start === 0,
      onGradient: end === own ? state.exchange?.ready : undefined,
    })
    terms = Object.keys(result)
    TERMS.forEach((term, i) => measured.set(result[term] ?? [], i * total + rows.start + start))
  }
  await state.exchange?.finish()
  // Others add zeros: every worker has the losses of the whole batch, exactly.
  await communicator.allReduce(measured).wait()
  const losses = measured.slice(0, total)
  const totals = { loss: 0, mse: 0, vb: 0 }
  losses.forEach((loss, i) => (totals.loss += (loss * drawn.importanceWeights[i]) / total))
  for (const [i, term] of TERMS.entries()) {
    if (term === 'loss') continue
    for (const value of measured.subarray(i * total, (i + 1) * total)) totals[term] += value / total
  }

  const gradNorm = await state.optimizer.gradientNorm()
  const learningRate = learningRateAt(recipe, step, setting.steps)
  const emaDecay = emaDecayAt(recipe, step)
  const record: StepRecord = {
    step,
    loss: totals.loss,
    ...(terms.includes('mse') ? { mse: totals.mse } : {}),
    ...(terms.includes('vb') ? { vb: totals.vb } : {}),
    gradNorm,
    learningRate,
    emaDecay,
    ...(state.lossScale === null ? {} : { lossScale: state.lossScale.value }),
    examples: step * recipe.batchSize,
  }
  if (!Number.isFinite(record.loss) || !Number.isFinite(gradNorm)) return record
  await update(recipe, state, record)
  if (state.lossHistory !== null) state.lossHistory = updateLossHistory(state.lossHistory, drawn.timesteps, losses)
  if (state.lossScale !== null) state.lossScale = grownLossScale(state.lossScale)
  state.step = step
  return record
}

const TERMS = ['loss', 'mse', 'vb'] as const

/** What a micro-batch is a part of. */
interface MicroBatch {
  readonly drawn: SampledTimesteps
  /** Place of its first example in the global batch. */
  readonly start: number
  readonly step: number
  /** Examples in the global batch. */
  readonly total: number
  /** Whether its gradients replace those of the step before, or are added to those of this step. */
  readonly isFirst: boolean
  readonly onGradient: ((name: string) => void) | undefined
}

/** Adds the gradients of a micro-batch; returns its losses per example. */
async function accumulateGradients(
  { model, diffusion, backend, recompute, seed }: StepSetting,
  state: TrainState,
  { x0, labels }: TrainBatch,
  { drawn, start, step, total, isFirst, onGradient }: MicroBatch,
): Promise<{ loss: Float32Array; mse?: Float32Array; vb?: Float32Array }> {
  const B = labels.length
  const size = x0.length / B
  const [height, width] = typeof model.inputSize === 'number' ? [model.inputSize, model.inputSize] : model.inputSize
  const shape = [B, model.inChannels, height, width]
  const timesteps = drawn.timesteps.slice(start, start + B)
  const weights = drawn.importanceWeights.slice(start, start + B)
  const dropped = maybeDrop(model, labels, seed, step, start)

  const { aux } = scope(() => {
    const input = {
      x0: tensor(x0, shape, { backend }),
      noise: randomNormal(shape, randomStream(seed, 'noise', step), { backend, start: start * size }),
      timesteps,
    }
    const weight = tensor(weights, [B], { backend })
    const { aux } = valueAndGrad(
      state.trainable.params,
      () => {
        const predict = (xt: typeof input.x0, originalTimesteps: ArrayLike<number>) =>
          forward(model, state.params, { xt, timesteps: originalTimesteps, labels: dropped }, { recompute })
        const terms = trainingLosses(diffusion, predict, input)
        return { loss: affine(mean(mul(terms.loss, weight)), B / total), terms }
      },
      { into: state.gradients.params, overwrite: isFirst, onGradient },
    )
    return { aux }
  })
  const read = async (term: 'loss' | 'mse' | 'vb') => {
    const values = aux.terms[term]
    if (values === undefined) return {}
    const data = Float32Array.from((await values.data()) as Float32Array)
    values.dispose()
    return { [term]: data }
  }
  return { ...(await read('loss')), ...(await read('mse')), ...(await read('vb')) } as { loss: Float32Array }
}

function drawBatchTimesteps(
  { diffusion, seed }: StepSetting,
  state: TrainState,
  B: number,
  step: number,
): SampledTimesteps {
  const stream = randomStream(seed, 'timesteps', step)
  if (state.lossHistory !== null) return drawTimesteps(lossHistoryWeights(state.lossHistory), stream, B)
  return { timesteps: integers(stream, diffusion.numTimesteps, B), importanceWeights: new Float32Array(B).fill(1) }
}

/** Class dropout for classifier-free guidance (Ho & Salimans 2022, algorithm 1). */
function maybeDrop(model: DiTConfig, labels: Int32Array, seed: number, step: number, start: number): Int32Array {
  const none = nullLabel(model)
  if (none === null) return labels
  const stream = randomStream(seed, 'label-dropout', step)
  return dropLabels(labels, {
    nullLabel: none,
    probability: model.classDropout,
    uniforms: uniforms(stream, labels.length, start),
  })
}

async function update(recipe: TrainRecipe, state: TrainState, record: StepRecord): Promise<void> {
  const { maxGradientNorm } = recipe
  const gradientScale = maxGradientNorm === null ? 1 : Math.min(1, maxGradientNorm / (record.gradNorm + 1e-6))
  const { step, learningRate, emaDecay } = record
  await state.optimizer.update({ ...recipe, step, learningRate, emaDecay, gradientScale })
  state.frozen.segments.forEach((parameter, i) => updateEma(state.emaFrozen.segments[i], parameter, emaDecay))
}
