import { SCHEDULES } from '@dit/schedules'
import { betasFlag, betasText, parseBetas } from './betas-file.js'
import { LOSS_WEIGHT_FORMS, lossWeightFlag, lossWeightText, parseLossWeight } from './loss-weight.js'
import type { RunSetting } from './run-setting.js'
import type { Settings } from './setting.js'
import { integer, number } from './values.js'

/** Most timesteps of a process: its tables are built at every start. */
export const MAX_TIMESTEPS = 1_000_000

/** The process that a model learns to reverse, and how it learns it. */
export const PROCESS_SETTINGS = {
  process: {
    flag: '--process <family>',
    help: 'what the model learns to reverse: a Gaussian diffusion (DDPM, DiT; default) or a flow (SiT)',
    choices: ['gaussian', 'flow'],
    default: 'gaussian',
    place: 'objective.process.kind',
  },
  predict: {
    flag: '--predict <what>',
    help: 'what the model predicts: the noise (epsilon), the picture (x0), ... (default: x0 or epsilon, as --recipe says; velocity for a flow)',
    choices: ['epsilon', 'x0', 'previousX', 'velocity', 'score'],
    place: { gaussian: 'objective.process.meanType', flow: 'objective.process.prediction' },
  },
  path: {
    flag: '--path <name>',
    help: 'how a flow mixes pictures and noise (default {default})',
    choices: ['linear', 'gvp', 'vp'],
    default: 'linear',
    place: { flow: 'objective.process.interpolant' },
  },
  times: {
    flag: '--times <law>',
    help: 'distribution of the training times of a flow (default {default})',
    choices: ['uniform', 'logitNormal', 'mode', 'logNormal'],
    default: 'uniform',
    place: { flow: 'objective.process.times.law' },
  },
  timeShift: {
    flag: '--time-shift <s>',
    help: 'shift the times of a flow: above 1 trains more near the noise, for large pictures',
    parse: number(0),
    place: { flow: 'objective.process.times.shift' },
  },
  weighting: {
    flag: '--weighting <name>',
    help: 'how the loss of a flow is weighted over time (default {default})',
    choices: ['none', 'velocity', 'likelihood', 'inverseSigma2', 'cosmap'],
    default: 'none',
    place: { flow: 'objective.process.weighting' },
  },
  schedule: {
    flag: '--schedule <name>',
    help: `how noise grows over the timesteps of a Gaussian diffusion: ${SCHEDULES.join(', ')} (default: squaredcos_cap_v2 or linear, as --recipe says)`,
    place: { gaussian: 'objective.process.schedule' },
  },
  betaStart: {
    flag: '--beta-start <x>',
    help: 'first noise variance (beta) of the schedule',
    parse: number(0, 1),
    place: { gaussian: 'objective.process.betaStart' },
  },
  betaEnd: {
    flag: '--beta-end <x>',
    help: 'last noise variance (beta) of the schedule',
    parse: number(0, 1),
    place: { gaussian: 'objective.process.betaEnd' },
  },
  betas: {
    flag: '--betas <file>',
    help: 'your own noise variances (betas), in a JSON list or an .npy file',
    parse: betasFlag,
    place: { gaussian: 'objective.process.betas' },
    store: parseBetas,
    read: betasText,
  },
  timesteps: {
    flag: '--timesteps <n>',
    help: 'number of timesteps of a Gaussian diffusion (default 1000)',
    parse: integer(2, MAX_TIMESTEPS),
    place: { gaussian: 'objective.process.numTimesteps' },
  },
  timestepSampler: {
    flag: '--timestep-sampler <name>',
    help: 'how timesteps are drawn for training; lossSecondMoment prefers those with large losses (default {default})',
    choices: ['uniform', 'lossSecondMoment'],
    default: 'uniform',
    place: { gaussian: 'objective.timestepSampler' },
  },
  variance: {
    flag: '--variance <type>',
    help: 'variance of the noise in a denoising step; the network predicts it for learnedRange and learned (default: fixedSmall or learnedRange, as --recipe says)',
    choices: ['learnedRange', 'learned', 'fixedSmall', 'fixedLarge'],
    place: { gaussian: 'objective.process.varianceType' },
  },
  loss: {
    flag: '--loss <type>',
    help: 'training loss of a Gaussian diffusion (default mse)',
    choices: ['mse', 'rescaledMse', 'kl', 'rescaledKl'],
    place: { gaussian: 'objective.process.lossType' },
  },
  lossWeight: {
    flag: '--loss-weight <name>',
    help: `weight of the squared error by noise level (default none): ${LOSS_WEIGHT_FORMS}`,
    parse: lossWeightFlag,
    place: { gaussian: 'objective.process.lossWeight' },
    store: parseLossWeight,
    read: lossWeightText,
  },
} as const satisfies Settings<RunSetting>

const { betas, betaStart, betaEnd } = PROCESS_SETTINGS

/**
 * Those of them that say what weights were trained on: all that sampling needs to know. They have no defaults of their own, because
 * the file of the weights may say more.
 */
export const WEIGHTS_PROCESS_SETTINGS = {
  process: {
    flag: PROCESS_SETTINGS.process.flag,
    help: 'what the weights were trained as: a Gaussian diffusion (DDPM, DiT) or a flow (SiT)',
    choices: PROCESS_SETTINGS.process.choices,
    place: PROCESS_SETTINGS.process.place,
  },
  predict: { ...PROCESS_SETTINGS.predict, help: 'what the model predicts (default epsilon; velocity for a flow)' },
  path: {
    flag: PROCESS_SETTINGS.path.flag,
    help: 'how a flow mixes pictures and noise (default linear)',
    choices: PROCESS_SETTINGS.path.choices,
    place: PROCESS_SETTINGS.path.place,
  },
  schedule: { ...PROCESS_SETTINGS.schedule, help: 'noise schedule of a Gaussian diffusion (default linear)' },
  timesteps: { ...PROCESS_SETTINGS.timesteps, help: 'number of its timesteps (default 1000)' },
  betaStart,
  betaEnd,
  betas,
  variance: { ...PROCESS_SETTINGS.variance, help: 'variance of its denoising steps' },
} as const satisfies Settings<RunSetting>
