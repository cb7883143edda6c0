import {
  addClassRows,
  addFeatures,
  authenticity,
  classSumsScore,
  cmmd,
  emptyClassSums,
  emptyMoments,
  type Features,
  featureStatistics,
  frechetDistance,
  frechetInfinity,
  inceptionScore,
  type Kernel,
  kernelDistance,
  mergeClassSums,
  mergeMoments,
  type MmdEstimator,
  precisionRecall,
  spatialFeatures,
  squaredMmd,
  type SplitRule,
  statisticsOf,
  type Statistics,
  takeRows,
  vendiScore,
} from '@dit/metrics'
import type { Fixture } from '../fixture.js'
import type { Case } from '../manifest.js'
import { type KindRunner, type Outcome, throws } from '../outcome.js'

const featuresOf = (fixture: Fixture, name: string): Features => ({
  shape: fixture.shape(`in.${name}`),
  data: fixture.values(`in.${name}`) as Float32Array | Float64Array,
})

const float64 = (fixture: Fixture, name: string) => Float64Array.from(fixture.values(`in.${name}`))

/** Rows of a table of row lists. */
function listsOf(fixture: Fixture, name: string): Int32Array[] {
  const [count, size] = fixture.shape(`in.${name}`)
  return Array.from({ length: count }, (_, i) => fixture.ints(name).subarray(i * size, (i + 1) * size))
}

const identity = (width: number) => Float64Array.from({ length: width ** 2 }, (_, i) => (i % (width + 1) === 0 ? 1 : 0))

/** Small sets that every measure of two sets must refuse against a sound one, by what is wrong with them. */
function wrongSets(width: number): Record<string, Features> {
  const rows = (count: number, columns = width) => ({
    shape: [count, columns],
    data: Float32Array.from({ length: count * columns }, (_, i) => Math.sin(i)),
  })
  const withValue = (value: number) => {
    const set = rows(9)
    set.data[4] = value
    return set
  }
  return {
    'a set of one sample': rows(1),
    'an empty set': rows(0),
    'another width': rows(9, width + 1),
    NaN: withValue(NaN),
    infinity: withValue(Infinity),
  }
}

const soundSet: Features = { shape: [12, 4], data: Float32Array.from({ length: 48 }, (_, i) => Math.cos(i * i)) }

function refusals(outcome: Outcome, measure: (first: Features, second: Features) => unknown): void {
  for (const [what, set] of Object.entries(wrongSets(4))) {
    outcome.fact(`refuses ${what}`, throws(() => measure(set, soundSet)) && throws(() => measure(soundSet, set)))
  }
}

/** A case that must be refused or warned about, as its entry says. */
function checkClaims(entry: Case, outcome: Outcome, run: () => { readonly warnings: readonly string[] }): void {
  if (entry.must_refuse === true) outcome.fact('refuses the case', throws(run))
  if (entry.should_warn === true) outcome.fact('warns about the case', run().warnings.length > 0)
}

export const frechet: KindRunner = async (entry, fixture, outcome) => {
  if (entry.name === 'refusals') {
    refusals(outcome, frechetDistance)
    const statistics = (mean: number, covariance: Float64Array): Statistics => ({
      count: null,
      mean: new Float64Array(mean),
      covariance,
    })
    const refused = (one: Statistics) => throws(() => frechetDistance(one, statistics(2, identity(2))))
    outcome.fact('refuses a covariance that does not match the mean', refused(statistics(2, new Float64Array(6))))
    outcome.fact('refuses a negative eigenvalue', refused(statistics(2, Float64Array.of(1, 0, 0, -0.5))))
    outcome.fact('refuses NaN in statistics', refused(statistics(2, Float64Array.of(1, 0, 0, NaN))))
    return
  }
  const isFeatures = fixture.has('in.features1')
  const sets = ['1', '2'].map((i) =>
    isFeatures
      ? featuresOf(fixture, `features${i}`)
      : { count: null, mean: float64(fixture, `mu${i}`), covariance: float64(fixture, `sigma${i}`) },
  )
  checkClaims(entry, outcome, () => frechetDistance(sets[0], sets[1]))
  if (entry.must_refuse === true) return
  const { distance, meanTerm, trace1, trace2, traceSqrt } = frechetDistance(sets[0], sets[1])
  const values = { fid: distance, mean_term: meanTerm, trace1, trace2, trace_sqrt: traceSqrt }
  for (const [name, value] of Object.entries(values)) outcome.set(`out.${name}`, [value])
  if (!isFeatures) return
  for (const i of [1, 2]) {
    const { mean, covariance } = featureStatistics(featuresOf(fixture, `features${i}`))
    outcome.set(`out.mu${i}`, mean)
    outcome.set(`out.sigma${i}`, covariance)
  }
}

const kernelOf = (kernel: {
  type: 'polynomial' | 'rbf'
  degree: number
  gamma: number | null
  coef0: number
  sigma: number
}): Kernel =>
  kernel.type === 'rbf'
    ? { type: 'rbf', sigma: kernel.sigma }
    : {
        type: 'polynomial',
        degree: kernel.degree,
        coef0: kernel.coef0,
        ...(kernel.gamma === null ? {} : { gamma: kernel.gamma }),
      }

export const kid: KindRunner = async (entry, fixture, outcome) => {
  if (entry.name === 'refusals') {
    refusals(outcome, (first, second) => kernelDistance(first, second, { subsetSize: 2 }))
    refusals(outcome, (first, second) => squaredMmd(first, second))
    outcome.fact(
      'refuses a subset beyond a set',
      throws(() => kernelDistance(soundSet, soundSet, { subsetSize: 13 })),
    )
    return
  }
  const [first, second] = [featuresOf(fixture, 'features1'), featuresOf(fixture, 'features2')]
  const kernel = kernelOf(entry.config.kernel)
  if (fixture.has('in.indices1')) {
    const [rows1, rows2] = [listsOf(fixture, 'indices1'), listsOf(fixture, 'indices2')]
    const subsets = rows1.map((rows, i) => [rows, rows2[i]] as const)
    const { mean, std, values } = kernelDistance(first, second, { kernel, subsets })
    outcome.set('out.mmd2', values)
    outcome.set('out.mean', [mean])
    outcome.set('out.std', [std])
  }
  const estimators: Record<string, MmdEstimator> = {
    'out.unbiased': 'unbiased',
    'out.biased': 'biased',
    'out.u-statistic': 'uStatistic',
  }
  for (const { name } of entry.tensors!) {
    const estimator = estimators[name]
    if (estimator !== undefined) outcome.set(name, [squaredMmd(first, second, { kernel, estimator })])
  }
}

export const cmmdCases: KindRunner = async ({ config }, fixture, outcome) => {
  const [first, second] = [featuresOf(fixture, 'features1'), featuresOf(fixture, 'features2')]
  outcome.set('out.cmmd', [cmmd(first, second, { sigma: config.sigma, scale: config.scale }).distance])
}

export const inception: KindRunner = async ({ config, tensors }, fixture, outcome) => {
  const isLogits = fixture.has('in.logits')
  const rows = featuresOf(fixture, isLogits ? 'logits' : 'probs')
  const order = fixture.has('in.order') ? { order: fixture.ints('order') } : {}
  for (const rule of ['torch-fidelity', 'adm', 'dgm-eval', 'torchmetrics'] satisfies SplitRule[]) {
    const prefix = `out.${rule.replace('-', '_')}`
    const score = () =>
      inceptionScore(rows, {
        rule,
        input: isLogits ? 'logits' : 'probabilities',
        splits: config.splits,
        splitSize: config.split_size,
        ...order,
      })
    if (!tensors!.some(({ name }) => name === `${prefix}.mean`)) {
      outcome.fact(`refuses empty splits by ${rule}`, throws(score))
      continue
    }
    const { mean, std, scores, bounds } = score()
    outcome.set(`${prefix}.bounds`, bounds.flat())
    outcome.set(`${prefix}.scores`, scores)
    outcome.set(`${prefix}.mean`, [mean])
    if (std !== null) outcome.set(`${prefix}.std`, [std])
  }
}

export const prdc: KindRunner = async (entry, fixture, outcome) => {
  if (entry.name === 'refusals') {
    refusals(outcome, (first, second) => precisionRecall(first, second, { k: 1 }))
    const withK = (k: number) => throws(() => precisionRecall(soundSet, soundSet, { k }))
    outcome.fact('refuses k of all samples', withK(12) && withK(13))
    outcome.fact('refuses k below 1', withK(0) && withK(-1))
    return
  }
  const [real, generated] = [featuresOf(fixture, 'real'), featuresOf(fixture, 'fake')]
  for (const k of entry.config.k as number[]) {
    for (const boundary of ['strict', 'inclusive'] as const) {
      const got = precisionRecall(real, generated, { k, boundary })
      outcome.set(`out.k${k}.radii_real`, got.radiiReal)
      outcome.set(`out.k${k}.radii_fake`, got.radiiGenerated)
      const values = {
        fake_in_real: got.generatedInReal,
        real_in_fake: got.realInGenerated,
        count: got.neighbourhoods,
        covered: got.covered,
        precision: [got.precision],
        recall: [got.recall],
        density: [got.density],
        coverage: [got.coverage],
      }
      for (const [name, value] of Object.entries(values)) outcome.set(`out.k${k}.${boundary}.${name}`, value)
    }
  }
}

export const sfid: KindRunner = async ({ config: { channels } }, fixture, outcome) => {
  const [first, second] = ['maps1', 'maps2'].map((name) => spatialFeatures(featuresOf(fixture, name), { channels }))
  outcome.set('out.vectors1', takeRows(first, [0, 1, 2]).data)
  outcome.set('out.sfid', [frechetDistance(first, second).distance])
}

export const fidInfinity: KindRunner = async (_, fixture, outcome) => {
  const subsets: Int32Array[] = []
  let start = 0
  for (const size of fixture.ints('sizes')) subsets.push(fixture.ints('indices').subarray(start, (start += size)))
  const line = frechetInfinity(featuresOf(fixture, 'real'), featuresOf(fixture, 'fake'), { subsets })
  outcome.set('out.fids', line.distances)
  outcome.set('out.intercept', [line.distance])
  outcome.set('out.slope', [line.slope])
}

export const vendi: KindRunner = async (_, fixture, outcome) => {
  const features = featuresOf(fixture, 'features')
  for (const [name, q] of [['q1', 1] as const, ['q2', 2] as const, ['qinf', Infinity] as const])
    outcome.set(`out.${name}`, [vendiScore(features, { q }).score])
}

export const authentic: KindRunner = async (_, fixture, outcome) => {
  const { share, authentic: flags, nearest } = authenticity(featuresOf(fixture, 'train'), featuresOf(fixture, 'fake'))
  outcome.set('out.nearest', nearest)
  outcome.set('out.authentic', flags)
  outcome.set('out.percent', [100 * share])
}

/** Chunks of rows, each gathered by itself and then merged. */
export const streaming: KindRunner = async ({ name }, fixture, outcome) => {
  const input = featuresOf(fixture, fixture.has('in.logits') ? 'logits' : 'features')
  const [, width] = input.shape
  let start = 0
  const chunks = Array.from(fixture.ints('chunk_sizes'), (size) => {
    const data = input.data.subarray(start * width, (start + size) * width)
    start += size
    return { shape: [size, width], data }
  })
  if (name === 'inception-score' || fixture.has('in.logits')) {
    const whole = emptyClassSums(width)
    for (const chunk of chunks) {
      const part = emptyClassSums(width)
      addClassRows(part, chunk)
      mergeClassSums(whole, part)
    }
    outcome.set('out.sum_p', whole.sumP)
    outcome.set('out.sum_plogp', [whole.sumPLogP])
    outcome.set('out.score', [classSumsScore(whole)])
    return
  }
  const whole = emptyMoments(width)
  const parts = chunks.map((chunk) => {
    const part = emptyMoments(width)
    addFeatures(part, chunk)
    mergeMoments(whole, part)
    return part
  })
  const { mean, covariance } = statisticsOf(whole)
  outcome.set('out.count', [whole.count])
  outcome.set('out.mu', mean)
  outcome.set('out.sigma', covariance)
  outcome.set(
    'out.chunk_mean',
    parts.flatMap((part) => [...part.mean]),
  )
  outcome.set(
    'out.chunk_scatter',
    parts.flatMap((part) => [...part.scatter]),
  )
}
