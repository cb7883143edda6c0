import {
  type GaussianDiffusion,
  gaussianProcess,
  type GaussianProcess,
  type LossType,
  type MeanType,
  type VarianceType,
} from '@dit/diffusion'
import type { DiTConfig } from '@dit/model'
import type { NamedSchedule } from '@dit/schedules'
import type { Config } from './manifest.js'

/** Our configuration for the reference's constructor arguments. */
export function modelConfig(model: Config): DiTConfig {
  return {
    inputSize: model.input_size,
    patchSize: model.patch_size,
    inChannels: model.in_channels,
    hiddenSize: model.hidden_size,
    depth: model.depth,
    numHeads: model.num_heads,
    mlpRatio: model.mlp_ratio,
    numClasses: model.num_classes,
    classDropout: model.class_dropout_prob,
    learnSigma: model.learn_sigma,
  }
}

const meanTypes: Record<string, MeanType> = { EPSILON: 'epsilon', START_X: 'x0', PREVIOUS_X: 'previousX' }
const varianceTypes: Record<string, VarianceType> = {
  LEARNED_RANGE: 'learnedRange',
  LEARNED: 'learned',
  FIXED_SMALL: 'fixedSmall',
  FIXED_LARGE: 'fixedLarge',
}
const lossTypes: Record<string, LossType> = {
  MSE: 'mse',
  RESCALED_MSE: 'rescaledMse',
  KL: 'kl',
  RESCALED_KL: 'rescaledKl',
}

/** The diffusion of `processOf`. */
export function diffusionOf(config: Config): GaussianDiffusion {
  return processOf(config).diffusion
}

/** Our process for a case's description of the reference's. */
export function processOf({ create = {}, spaced = {}, effective }: Config): GaussianProcess {
  return gaussianProcess({
    schedule: (create.noise_schedule ?? spaced.noise_schedule ?? 'linear') as NamedSchedule,
    numTimesteps: effective.original_num_steps,
    respacing: create.timestep_respacing ?? spaced.text ?? '',
    meanType: known(meanTypes, effective.mean),
    varianceType: known(varianceTypes, effective.var),
    lossType: known(lossTypes, effective.loss),
  })
}

function known<T>(names: Record<string, T>, name: string): T {
  const found = names[name]
  if (found === undefined) throw new Error(`the runner does not know ${name}`)
  return found
}
