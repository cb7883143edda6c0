import { dropLabels } from '@dit/adaln'
import { type GaussianDiffusion, trainingLosses } from '@dit/diffusion'
import { type DiTConfig, forward, nullLabel } from '@dit/model'
import { integers, normals, randomStream, uniforms } from '@dit/random'
import { drawTimesteps, lossHistoryWeights, type SampledTimesteps, updateLossHistory } from '@dit/schedules'
import {
  adamw,
  type Backend,
  fill,
  globalNorm,
  mean,
  mul,
  scope,
  affine,
  tensor,
  updateEma,
  valueAndGrad,
} from '@dit/tensor'
import { sliceBatch, type TrainBatch } from './batch.js'
import { emaDecayAt, learningRateAt } from './learning-rate.js'
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
  readonly recompute: 'none' | 'block'
}

/**
 * One optimizer step on a global batch: forward and backward passes over its micro-batches, clipping, AdamW, EMA. Where
 * the loss or the gradient is not finite, the state is left as it was.
 *
 * Draws (timesteps, noise, label dropout) are functions of the seed, the step and the place in the global batch, so
 * that they do not depend on the size of the micro-batches.
 */
export async function trainStep(setting: StepSetting, state: TrainState, batch: TrainBatch): Promise<StepRecord> {
  const { recipe } = setting
  const step = state.step + 1
  const drawn = drawBatchTimesteps(setting, state, batch.labels.length, step)
  for (const segment of state.gradients.segments) fill(segment, 0)

  const totals = { loss: 0, mse: 0, vb: 0 }
  const losses = new Float32Array(batch.labels.length)
  const microBatch = recipe.microBatchSize ?? recipe.batchSize
  let terms: readonly string[] = []
  for (let start = 0; start < batch.labels.length; start += microBatch) {
    const end = Math.min(start + microBatch, batch.labels.length)
    const result = await accumulateGradients(setting, state, sliceBatch(batch, start, end), {
      drawn,
      start,
      step,
      total: batch.labels.length,
    })
    terms = Object.keys(result)
    losses.set(result.loss, start)
    for (const term of ['mse', 'vb'] as const)
      for (const value of result[term] ?? []) totals[term] += value / batch.labels.length
  }
  losses.forEach((loss, i) => (totals.loss += (loss * drawn.importanceWeights[i]) / losses.length))

  const gradNorm = await globalNorm(state.gradients.segments)
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
    examples: step * recipe.batchSize,
  }
  if (!Number.isFinite(record.loss) || !Number.isFinite(gradNorm)) return record
  update(recipe, state, record)
  if (state.lossHistory !== null) state.lossHistory = updateLossHistory(state.lossHistory, drawn.timesteps, losses)
  state.step = step
  return record
}

/** Adds the gradients of a micro-batch; returns its losses per example. */
async function accumulateGradients(
  { model, diffusion, backend, recompute, seed }: StepSetting,
  state: TrainState,
  { x0, labels }: TrainBatch,
  { drawn, start, step, total }: { drawn: SampledTimesteps; start: number; step: number; total: number },
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
      noise: tensor(normals(randomStream(seed, 'noise', step), B * size, start * size), shape, { backend }),
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
      { into: state.gradients.params },
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

function update(recipe: TrainRecipe, state: TrainState, record: StepRecord): void {
  const { maxGradientNorm } = recipe
  const gradientScale = maxGradientNorm === null ? 1 : Math.min(1, maxGradientNorm / (record.gradNorm + 1e-6))
  const { step, learningRate, emaDecay } = record
  state.trainable.segments.forEach((parameter, i) =>
    adamw(
      {
        parameter,
        gradient: state.gradients.segments[i],
        m: state.m.segments[i],
        v: state.v.segments[i],
        ema: state.emaTrainable.segments[i],
      },
      { ...recipe, step, learningRate, emaDecay, gradientScale },
    ),
  )
  state.frozen.segments.forEach((parameter, i) => updateEma(state.emaFrozen.segments[i], parameter, emaDecay))
}
