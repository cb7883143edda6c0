import {
  bootstrapInterval,
  type Features,
  frechetDifference,
  frechetInterval,
  precisionRecall,
  squaredMmd,
  takeRows,
} from '@dit/metrics'
import { normals, randomStream } from '@dit/random'
import { aligned } from '../table.js'

// How often nominal 95 % intervals hold what they are intervals for: `node --import ./tools/typescript.mjs bench/metrics/coverage.ts [trials]`.
// Features are correlated and heavy-tailed; truths are means over the trials themselves, of `value` at the size of the sets.

const WIDTH = 16
const trials = Number(process.argv[2] ?? 200)

function draw(count: number, seed: number, trial: number, shift: number): Features {
  const z = normals(randomStream(seed, 'coverage', trial), count * WIDTH)
  const shared = normals(randomStream(seed, 'shared', trial), count)
  const data = Float64Array.from(z, (value, at) => Math.exp(0.5 * value + 0.5 * shared[Math.floor(at / WIDTH)] + shift))
  return { shape: [count, WIDTH], data }
}

interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
  readonly bias?: number
}

type Measure = (real: Features, one: Features, other: Features) => Estimate

const precisionOf: Measure = (real, one) => {
  const { generatedInReal } = precisionRecall(real, one, { k: 3 })
  return bootstrapInterval((rows) => rows.reduce((sum, row) => sum + generatedInReal[row], 0) / rows.length, {
    counts: [generatedInReal.length],
    numResamples: 200,
  })
}

const coverageOf: Measure = (real, one) => {
  const { covered } = precisionRecall(real, one, { k: 3 })
  return bootstrapInterval((rows) => rows.reduce((sum, row) => sum + covered[row], 0) / rows.length, {
    counts: [covered.length],
    numResamples: 200,
  })
}

const kidOf: Measure = (real, one) =>
  bootstrapInterval((rows, others) => squaredMmd(takeRows(real, rows), takeRows(one, others)), {
    counts: [real.shape[0], one.shape[0]],
    numResamples: 100,
    kind: 'centred',
  })

const MEASURES: Readonly<Record<string, Measure>> = {
  'Fréchet distance, jackknife': (real, one) => frechetInterval(real, one),
  'its difference, jackknife': (real, one, other) => frechetDifference(real, one, other),
  'precision, bootstrap of memberships': precisionOf,
  'coverage, bootstrap of memberships': coverageOf,
  'KID of whole sets, centred bootstrap': kidOf,
}

const lines = [['interval', 'samples', 'trials', 'holds the mean', 'mean value', 'mean of value - bias']]
for (const count of [200, 1000]) {
  for (const [name, measure] of Object.entries(MEASURES)) {
    const times = name.startsWith('KID') ? (count > 500 ? 0 : trials / 4) : trials
    if (times === 0) continue
    const found = Array.from({ length: times }, (_, trial) =>
      measure(draw(count, 1, trial, 0), draw(count, 2, trial, 0.1), draw(count, 3, trial, 0.15)),
    )
    const mean = found.reduce((sum, { value }) => sum + value, 0) / times
    const corrected = found.reduce((sum, { value, bias = 0 }) => sum + value - bias, 0) / times
    const held = found.filter(({ low, high }) => low <= mean && mean <= high).length
    lines.push([
      name,
      String(count),
      String(times),
      `${((100 * held) / times).toFixed(0)} %`,
      mean.toPrecision(4),
      corrected.toPrecision(4),
    ])
  }
}
console.log(aligned(lines))
