import { NAMED_RECIPES, type RecipeName } from './named-recipes.js'
import type { RunSetting } from './run-setting.js'
import type { Settings } from './setting.js'
import { integer, number, orWord } from './values.js'

const NAMES = Object.keys(NAMED_RECIPES) as readonly RecipeName[]
const ABOUT = NAMES.map((name) => `${name}: ${NAMED_RECIPES[name].about}`).join('. ')

/** How a run learns. What is absent comes from the named recipe. */
export const RECIPE_SETTINGS = {
  recipe: {
    flag: '--recipe <name>',
    help: `settings to start from, which other options change; the run prints them all. ${ABOUT} (default pictures; small for latents and your own networks)`,
    choices: NAMES,
    place: 'recipe.name',
    must: 'a name',
  },
  batch: {
    flag: '--batch <n>',
    help: 'examples per step',
    parse: integer(1),
    place: 'recipe.batchSize',
    must: 'a positive whole number',
  },
  microBatch: {
    flag: '--micro-batch <n>',
    help: 'examples computed at a time, to save memory; their gradients add up to those of the batch',
    parse: integer(1),
    place: 'recipe.microBatchSize',
  },
  accumulate: {
    flag: '--accumulate <n>',
    help: 'split the examples of each worker into this number of micro-batches',
    parse: integer(1),
  },
  lr: { flag: '--lr <rate>', help: 'peak learning rate', parse: number(0), place: 'recipe.learningRate' },
  warmup: {
    flag: '--warmup <steps>',
    help: 'steps over which the learning rate rises to its peak',
    parse: integer(),
    place: 'recipe.warmupSteps',
  },
  decay: {
    flag: '--decay <course>',
    help: 'how the learning rate falls after the warm-up',
    choices: ['constant', 'linear', 'cosine'],
    place: 'recipe.decay',
  },
  finalLr: {
    flag: '--final-lr <share>',
    help: 'learning rate at the end, as a share of the peak',
    parse: number(0, 1),
    place: 'recipe.finalLearningRate',
  },
  beta1: {
    flag: '--beta1 <x>',
    help: 'decay of the mean gradient in the AdamW optimizer',
    parse: number(0, 1),
    place: 'recipe.beta1',
  },
  beta2: {
    flag: '--beta2 <x>',
    help: 'decay of the mean squared gradient in AdamW',
    parse: number(0, 1),
    place: 'recipe.beta2',
  },
  epsilon: {
    flag: '--epsilon <x>',
    help: 'small number that keeps AdamW from dividing by zero',
    parse: number(0),
    place: 'recipe.epsilon',
  },
  weightDecay: {
    flag: '--weight-decay <x>',
    help: 'weight decay of AdamW',
    parse: number(0),
    place: 'recipe.weightDecay',
  },
  clip: {
    flag: '--clip <norm>',
    help: 'clip gradients to this norm, or `none`',
    parse: orWord('none', number(0)),
    place: 'recipe.maxGradientNorm',
  },
  ema: {
    flag: '--ema <decay>',
    help: 'decay of the moving average of the weights (EMA), which sampling uses',
    parse: number(0, 1),
    place: 'recipe.emaDecay',
  },
  emaWarmup: {
    flag: '--ema-warmup',
    help: 'start the average with a small decay, so that it forgets the first steps quickly',
    negation: 'use the full decay from the first step on',
    place: 'recipe.emaWarmup',
  },
} as const satisfies Settings<RunSetting>
