import { classConditional } from '@dit/train-ddp'
import { describe, expect, test } from 'vitest'
import { type EvaluatedRun, resolveEvaluation } from '../../src/in-training/evaluation-config.js'
import { checkRunConfig } from '../../src/run/check-run-config.js'
import { resolveRun } from '../../src/run/resolve-run.js'
import { resumedRun } from '../../src/run/resumed-run.js'
import type { RunConfig } from '../../src/run/run-config.js'
import { measureList } from '../../src/settings/measure-names.js'
import type { TrainFlags } from '../../src/settings/train-settings.js'
import { tinyConfig, tinyModel } from '../support/tiny-run.js'

const { process } = classConditional(tinyModel).spec
const RUN: EvaluatedRun = { process, isLatents: false, holdsOut: false }

describe('--eval-every', () => {
  test('measures a small set against all pictures by default, and keeps the best by the first measure', () => {
    expect(resolveEvaluation({ evalEvery: 100 }, RUN)).toEqual({
      every: 100,
      measures: ['frechet', 'kid', 'precision', 'recall'],
      count: 500,
      against: 'all',
      sampler: 'unipc',
      steps: 20,
      guidance: 1,
      extractor: 'small',
      keepBest: 'frechet',
    })
  })

  test('measures against what is held out, if anything is, and takes no more steps than the process has', () => {
    const short = { ...process, schedule: 'squaredcos_cap_v2', numTimesteps: 7 } as typeof process
    const found = resolveEvaluation({ evalEvery: 5 }, { process: short, isLatents: false, holdsOut: true })
    expect(found).toMatchObject({ against: 'held-out', steps: 7 })
  })

  test('means nothing where it is none, and nothing is kept in config.json', () => {
    expect(resolveEvaluation({ evalEvery: null }, RUN)).toBe(undefined)
    expect(resolveRun({}, 6)).not.toHaveProperty('evaluation')
    expect(resolveRun({ evalEvery: 9, keepBest: null }, 6).evaluation).toMatchObject({ every: 9, keepBest: null })
  })

  test.each<[TrainFlags, Partial<EvaluatedRun>, string]>([
    [{ evalEvery: undefined, evalCount: 9 }, {}, '--eval-count needs --eval-every'],
    [{ evalEvery: null, keepBest: 'kid' }, {}, '--keep-best needs --eval-every'],
    [
      { keepBest: 'coverage' },
      {},
      '--keep-best coverage: the run measures only frechet, kid, precision, recall; add coverage to --eval-measures',
    ],
    [{ evalCount: 5 }, {}, '--eval-count 5 is too few for precision, which needs 6 samples'],
    [{ evalAgainst: 'held-out' }, {}, '--eval-against held-out needs --val-share'],
    [
      {},
      { isLatents: true },
      '--eval-every measures pictures, but --latents names latents; give --eval-vae <autoencoder>',
    ],
    [{ evalVae: 'vae' }, {}, '--eval-vae is for --latents'],
    [
      { evalSampler: 'midpoint' },
      {},
      '--eval-sampler midpoint: the run trains a Gaussian diffusion, which can use ddpm, ddim',
    ],
    [{ evalSteps: 1001 }, {}, '--eval-steps 1001: the process has only 1000 timesteps'],
  ])('is refused with %j for a run %j', (flags, run, text) => {
    expect(() => resolveEvaluation({ evalEvery: 10, ...flags }, { ...RUN, ...run })).toThrow(text)
  })
})

describe('names of measures', () => {
  test('are found however they are written', () => {
    expect(measureList('Frechet, KID,inception-score')).toBe('frechet,kid,inceptionScore')
  })

  test.each([
    ['fid', 'There is no measure fid. It is called frechet; results title it FID if the features are those of FID.'],
    ['recal', 'did you mean recall?'],
    ['kid,kid', 'It names kid twice.'],
    ['authenticity', '`dit eval` measures it'],
  ])('%s is refused', (text, message) => {
    expect(() => measureList(text)).toThrow(message)
  })
})

describe('a resumed run', () => {
  const evaluated: RunConfig = { ...tinyConfig, evaluation: resolveEvaluation({ evalEvery: 10 }, RUN)! }

  test('may be evaluated more often, not at all, and by other measures', () => {
    const other = resumedRun(evaluated, { evalEvery: 5, evalMeasures: 'kid,coverage', keepBest: 'kid' }).evaluation
    expect(other).toMatchObject({ every: 5, measures: ['kid', 'coverage'], keepBest: 'kid', count: 500 })
    expect(resumedRun(evaluated, { evalEvery: null }).evaluation).toEqual({ ...evaluated.evaluation, every: null })
    expect(resumedRun(evaluated, {}).evaluation).toEqual(evaluated.evaluation)
  })

  test('may begin to be evaluated, in any way', () => {
    const { evaluation } = resumedRun(tinyConfig, { evalEvery: 5, evalCount: 30, evalGuidance: 2 })
    expect(evaluation).toMatchObject({ every: 5, count: 30, guidance: 2, keepBest: 'frechet' })
    expect(resumedRun(tinyConfig, {})).not.toHaveProperty('evaluation')
  })

  test.each<[TrainFlags, string]>([
    [{ evalCount: 100 }, '--eval-count 100 (the run has 500)'],
    [{ evalSampler: 'ddim', evalSteps: 4 }, '--eval-sampler ddim (the run has unipc), --eval-steps 4 (the run has 20)'],
    [{ evalGuidance: 2 }, '--eval-guidance 2 (the run has 1)'],
    [{ evalLayer: 'edges' }, '--eval-layer edges (the run has none)'],
    [
      { evalMeasures: 'recall' },
      '--eval-measures recall: the run keeps its best checkpoint by frechet; measure it too, or give another --keep-best',
    ],
    [{ keepBest: 'vendi' }, '--keep-best vendi: the run measures only'],
  ])('keeps what values depend on: %j is refused', (flags, text) => {
    expect(() => resumedRun(evaluated, flags)).toThrow(text)
  })

  test('that had no evaluation needs --eval-every for the rest', () => {
    expect(() => resumedRun(tinyConfig, { evalCount: 9 })).toThrow('--eval-count needs --eval-every')
  })
})

test.each<[string, unknown, RegExp]>([
  ['every', 0, /"evaluation\.every" must be a positive whole number, or null \(got 0\)/],
  ['count', '9', /"evaluation\.count" must be a whole number, 2 or more \(got "9"\)/],
  ['against', 'some', /"evaluation\.against" must be one of held-out, all/],
  ['sampler', 'magic', /"evaluation\.sampler" must be one of ddpm/],
  ['measures', ['fid'], /"evaluation\.measures" must be names of measures\. There is no measure fid/],
  ['measures', 'kid', /"evaluation\.measures" must be names of measures/],
  ['keepBest', 'beauty', /"evaluation\.keepBest" must be the name of a measure, or null/],
  ['extractor', 3, /"evaluation\.extractor" must be a name, or a path \(got 3\)/],
  ['fingerprint', 3, /"evaluation\.fingerprint" must be text \(got 3\)/],
])('config.json with evaluation.%s %j is refused', (name, value, text) => {
  const evaluation = { ...resolveEvaluation({ evalEvery: 10 }, RUN)!, [name]: value }
  expect(() => checkRunConfig({ ...tinyConfig, evaluation })).toThrow(text)
  expect(() => checkRunConfig({ ...tinyConfig, evaluation: resolveEvaluation({ evalEvery: 10 }, RUN) })).not.toThrow()
})
