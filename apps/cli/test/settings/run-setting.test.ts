import type { KnownSpec } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { checkRunConfig } from '../../src/run/check-run-config.js'
import { resolveRun } from '../../src/run/resolve-run.js'
import { resumedRun } from '../../src/run/resumed-run.js'
import type { RunConfig } from '../../src/run/run-config.js'
import { PROCESS_SETTINGS, WEIGHTS_PROCESS_SETTINGS } from '../../src/settings/process-settings.js'
import { familyOf, keptFields, keptFlag, placeOf, type RunSetting, valueAt } from '../../src/settings/run-setting.js'
import { firstGiven, type Settings, withDefaults } from '../../src/settings/setting.js'
import { TRAIN_ROWS, type TrainFlags } from '../../src/settings/train-settings.js'
import { integer, number, orWord } from '../../src/settings/values.js'
import { tinyConfig } from '../support/tiny-run.js'

const COMMON: TrainFlags = {
  flip: false,
  valShare: 0.25,
  valEvery: 7,
  model: 'DiT-S/8',
  hidden: 24,
  depth: 2,
  heads: 3,
  patch: 8,
  mlpRatio: 3,
  block: 'adaLN',
  norm: 'rms',
  mlp: 'swiglu',
  qkNorm: true,
  rope: true,
  withoutShift: true,
  sharedModulation: true,
  recipe: 'paper',
  batch: 6,
  microBatch: 3,
  lr: 0.5,
  warmup: 3,
  decay: 'linear',
  finalLr: 0.25,
  beta1: 0.75,
  beta2: 0.5,
  epsilon: 1e-3,
  weightDecay: 0.125,
  clip: null,
  ema: 0.875,
  emaWarmup: true,
  classDropout: 0.5,
  steps: 17,
  seed: 5,
  checkpointEvery: 4,
  keepLast: 2,
  keepEvery: 8,
  sampleEvery: null,
  recompute: 1,
  shardOptimizer: true,
  shardCheckpoint: true,
  report: false,
  tensorboard: true,
  evalEvery: 6,
  evalMeasures: 'kid,recall',
  evalCount: 30,
  evalAgainst: 'all',
  evalSampler: 'heun',
  evalSteps: 2,
  evalGuidance: 1.5,
  evalExtractor: '/weights.pth',
  evalLayer: 'edges',
  keepBest: 'recall',
}

const GAUSSIAN: TrainFlags = {
  ...COMMON,
  process: 'gaussian',
  predict: 'x0',
  schedule: 'linear',
  betaStart: 0.125,
  betaEnd: 0.25,
  timesteps: 33,
  timestepSampler: 'lossSecondMoment',
  variance: 'fixedLarge',
  loss: 'rescaledMse',
  lossWeight: 'p2:1,2',
}

const { schedule: _, timesteps: __, betaStart: ___, betaEnd: ____, steps: _____, ...WITHOUT_SCHEDULE } = GAUSSIAN
const BETAS: TrainFlags = { ...WITHOUT_SCHEDULE, betas: '[0.25,0.5]', minutes: 2.5 }

const { steps: ______, ...WITHOUT_STEPS } = COMMON

const FLOW: TrainFlags = {
  ...WITHOUT_STEPS,
  epochs: 1.5,
  process: 'flow',
  predict: 'score',
  path: 'gvp',
  times: 'mode',
  timeShift: 2,
  weighting: 'velocity',
}

function runOf(flags: TrainFlags): RunConfig {
  const { format, data, classes, engine, versions } = tinyConfig
  return { format, ...resolveRun(flags, 6), data, classes, engine, versions }
}

test.each<[string, TrainFlags]>([
  ['a Gaussian diffusion', GAUSSIAN],
  ['betas of a file', BETAS],
  ['a flow', FLOW],
])('every flag of a run comes back from its config.json: %s', (_, flags) => {
  const config = JSON.parse(JSON.stringify(runOf(flags))) as RunConfig
  expect(() => checkRunConfig({ ...config })).not.toThrow()
  const back = Object.keys(flags).map((key) => [key, keptFlag(TRAIN_ROWS[key], config)])
  expect(Object.fromEntries(back)).toEqual(flags)
  // Unlike a new run, a resumed one agrees with all that it was begun with.
  expect(resumedRun(config, flags)).toEqual(config)
})

const EVALUATED_LATENTS: TrainFlags = { evalVae: '/vae' }

test('the autoencoder of an evaluation comes back, too', () => {
  const { data: _data, ...run } = runOf({ ...GAUSSIAN, evalExtractor: 'small' })
  const data = { kind: 'latents', folder: '/l', size: 4, channels: 3, length: 9, files: 'ab' } as const
  const config = { ...run, data, evaluation: { ...run.evaluation!, autoencoder: '/vae' } }
  expect(() => checkRunConfig({ ...config })).not.toThrow()
  expect(keptFlag(TRAIN_ROWS.evalVae, config)).toBe('/vae')
  expect(resumedRun(config, EVALUATED_LATENTS)).toEqual(config)
})

const FINE_TUNE: TrainFlags = {
  from: 'base',
  fromWeights: 'model',
  key: 'state.ema',
  newRows: 'normal',
  positions: 'bicubic',
  resetOutput: true,
  trainOnly: 'final',
  lora: 1,
  loraAlpha: 4,
  loraTargets: 'attn',
}

test('every flag of fine-tuning comes back, too', () => {
  const run = runOf(GAUSSIAN)
  const { from: source, lora: rank, loraAlpha: alpha, ...given } = FINE_TUNE
  const lora = { rank, alpha, match: 'attn', trained: null, base: 'ab' }
  const digests = { sha256: 'ab', kept: 'ab', start: 'ab' }
  const { network, ...objective } = run.objective as KnownSpec
  const config = {
    ...run,
    objective: { ...objective, network: { ...network, lora } },
    from: { source, title: 'base', ...digests, replaced: [], changes: [], given },
  } as RunConfig
  expect(() => checkRunConfig({ ...config })).not.toThrow()
  const back = Object.keys(FINE_TUNE).map((key) => [key, keptFlag(TRAIN_ROWS[key], config)])
  expect(Object.fromEntries(back)).toEqual(FINE_TUNE)
  expect(resumedRun(config, FINE_TUNE)).toEqual(config)
  expect(() => resumedRun(config, { lora: 3 })).toThrow('--lora 3 (the run has 1)')
})

test.each([
  [{ from: undefined }, '"from" must be there, since the run trains adapters (got nothing)'],
  [{ from: 'base' }, '"from" must be an object (got "base")'],
  [{ from: {} }, '"from.source" must be text (got nothing)'],
])('what a run began from is checked: %j', (wrong, message) => {
  const run = runOf(GAUSSIAN)
  const { network, ...objective } = run.objective as KnownSpec
  const lora = { rank: 1, alpha: 1, match: 'attn', trained: null, base: 'ab' }
  const config = { ...run, objective: { ...objective, network: { ...network, lora } }, ...wrong }
  expect(() => checkRunConfig(config)).toThrow(message)
})

const STUDENT: TrainFlags = { studentSteps: 4, startSteps: 16, guidanceRange: '1,3', guidanceScale: 2 }

test('every flag of a student comes back, too', () => {
  const run = runOf(GAUSSIAN)
  const { network, process } = run.objective as KnownSpec
  const config = {
    ...run,
    objective: {
      kind: 'distillation',
      network: { ...network, config: { ...network.config, guidanceRange: [1, 3] } },
      process: { ...process, distilled: { startSteps: 16, numSteps: 4 } },
      teacher: 'ab',
      isFirst: true,
      guidanceScale: 2,
    },
  } as RunConfig
  expect(() => checkRunConfig({ ...config })).not.toThrow()
  const back = Object.keys(STUDENT).map((key) => [key, keptFlag(TRAIN_ROWS[key], config)])
  expect(Object.fromEntries(back)).toEqual(STUDENT)
  expect(resumedRun(config, STUDENT)).toEqual(config)
  expect(() => resumedRun(config, { guidanceRange: '1,2' })).toThrow('--guidance-range 1,2 (the run has 1,3)')
  for (const changes of [{ teacher: 1 }, { isFirst: 'yes' }, { guidanceScale: '2' }, { process }]) {
    const wrong = { ...config, objective: { ...config.objective, ...changes } }
    expect(() => checkRunConfig(wrong)).toThrow(
      /"objective\.(teacher|isFirst|guidanceScale|process\.distilled)" must be/,
    )
  }
})

const OWN_NETWORK: TrainFlags = { objectiveOptions: '{"channels":16}' }

test('the options of an own network come back, too', () => {
  const objective = { kind: 'module', module: '/mine.mjs', sha256: 'ab', spec: {}, options: { channels: 16 } } as const
  const config = { ...runOf(GAUSSIAN), objective }
  expect(keptFlag(TRAIN_ROWS.objectiveOptions, config)).toBe(OWN_NETWORK.objectiveOptions)
})

test('the flags above are all those that config.json has a place for', () => {
  const placed = Object.keys(TRAIN_ROWS).filter((key) => TRAIN_ROWS[key].place !== undefined)
  const flags = { ...GAUSSIAN, ...BETAS, ...FLOW, ...FINE_TUNE, ...STUDENT, ...EVALUATED_LATENTS, ...OWN_NETWORK }
  expect(new Set(Object.keys(flags))).toEqual(new Set(placed))
})

test('a setting of one family has no place in a run of the other', () => {
  const { path, predict, beta2 } = TRAIN_ROWS
  expect(placeOf(path, 'flow')).toBe('objective.process.interpolant')
  expect(placeOf(path, 'gaussian')).toBeUndefined()
  expect(placeOf(path, null)).toBeUndefined()
  expect(placeOf(predict, 'gaussian')).toBe('objective.process.meanType')
  expect(placeOf(beta2, null)).toBe('recipe.beta2')
})

test('what is kept lies at its place, and what is optional only where it is not the default', () => {
  const table = {
    beta2: { flag: '--beta2 <x>', help: '', parse: number(), place: 'recipe.beta2' },
    keepLast: { flag: '--keep-last <n>', help: '', parse: integer(), place: 'checkpoint.keepLast', default: 3 },
    keepEvery: {
      flag: '--keep-every <n>',
      help: '',
      parse: orWord('none', integer()),
      place: 'checkpoint.keepEvery',
      default: 4,
    },
    shard: { flag: '--shard', help: '', place: 'shard', default: false, isOptional: true },
    out: { flag: '--out <folder>', help: '', default: 'runs' },
  } as const satisfies Settings<RunSetting>
  const flags = { keepEvery: null, shard: false, beta2: undefined, out: 'x' }
  expect(keptFields(table, flags)).toEqual({ checkpoint: { keepEvery: null } })
  const checkpoint = { keepLast: 3, keepEvery: null }
  expect(keptFields(table, withDefaults(table, flags))).toEqual({ checkpoint })
  expect(keptFields(table, { ...flags, shard: true, beta2: 0.5, keepLast: 3 })).toEqual({
    recipe: { beta2: 0.5 },
    checkpoint,
    shard: true,
  })
})

test('a place in what is no object holds nothing', () => {
  expect(valueAt({ a: { b: 3 } }, 'a.b')).toBe(3)
  expect(valueAt({ a: null }, 'a.b')).toBeUndefined()
  expect(valueAt({ a: 'text' }, 'a.length')).toBeUndefined()
  expect(familyOf({})).toBeNull()
  expect(familyOf(tinyConfig)).toBe('gaussian')
})

test('the settings of weights are those of the process but for how it is learned', () => {
  const {
    times: _t,
    timeShift: _s,
    weighting: _w,
    timestepSampler: _d,
    loss: _l,
    lossWeight: _v,
    ...rest
  } = PROCESS_SETTINGS
  // Only the help differs, and the defaults, which the file of the weights has.
  const bare = (table: Settings<RunSetting>) =>
    Object.fromEntries(Object.entries(table).map(([key, { default: _default, help: _help, ...row }]) => [key, row]))
  expect(bare(WEIGHTS_PROCESS_SETTINGS)).toEqual(bare(rest))
  expect(withDefaults(WEIGHTS_PROCESS_SETTINGS, {})).toEqual({})
  expect(firstGiven(WEIGHTS_PROCESS_SETTINGS, { loss: 'kl', timesteps: 3 })).toBe('timesteps')
})
