import { RECIPES, smallRecipe } from '@dit/train-ddp'
import type { RunSetting } from './run-setting.js'
import type { Settings } from './setting.js'
import { integer, number, orWord } from './values.js'

/** How a run learns. What is absent comes from the named recipe. */
export const RECIPE_SETTINGS = {
  recipe: {
    flag: '--recipe <name>',
    help: 'settings to start from (default {default}); printed in full at the start',
    choices: Object.keys(RECIPES),
    default: smallRecipe.name,
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
    help: 'examples at a time; gradients add up to the batch',
    parse: integer(1),
    place: 'recipe.microBatchSize',
  },
  accumulate: {
    flag: '--accumulate <n>',
    help: 'cut the examples of each worker into so many micro-batches',
    parse: integer(1),
  },
  lr: { flag: '--lr <rate>', help: 'peak learning rate', parse: number(0), place: 'recipe.learningRate' },
  warmup: {
    flag: '--warmup <steps>',
    help: 'steps over which the learning rate rises',
    parse: integer(),
    place: 'recipe.warmupSteps',
  },
  decay: {
    flag: '--decay <course>',
    help: 'course of the learning rate after the warm-up',
    choices: ['constant', 'linear', 'cosine'],
    place: 'recipe.decay',
  },
  finalLr: {
    flag: '--final-lr <share>',
    help: 'learning rate at the end, as a share of the peak',
    parse: number(0, 1),
    place: 'recipe.finalLearningRate',
  },
  beta1: { flag: '--beta1 <x>', help: "AdamW's first decay", parse: number(0, 1), place: 'recipe.beta1' },
  beta2: { flag: '--beta2 <x>', help: "AdamW's second decay", parse: number(0, 1), place: 'recipe.beta2' },
  epsilon: { flag: '--epsilon <x>', help: "AdamW's epsilon", parse: number(0), place: 'recipe.epsilon' },
  weightDecay: {
    flag: '--weight-decay <x>',
    help: 'decoupled weight decay',
    parse: number(0),
    place: 'recipe.weightDecay',
  },
  clip: {
    flag: '--clip <norm>',
    help: 'largest norm of the gradient, or `none`',
    parse: orWord('none', number(0)),
    place: 'recipe.maxGradientNorm',
  },
  ema: { flag: '--ema <decay>', help: 'decay of the averaged weights', parse: number(0, 1), place: 'recipe.emaDecay' },
  emaWarmup: {
    flag: '--ema-warmup',
    help: 'let the average forget the start quickly',
    negation: 'use the full decay from the first step',
    place: 'recipe.emaWarmup',
  },
} as const satisfies Settings<RunSetting>
