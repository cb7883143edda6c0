import { parseArgs } from 'node:util'
import { normals, randomStream, uniforms } from '@dit/random'
import {
  allocateCompute,
  bootstrapLossLaw,
  type BootstrapLawOptions,
  fitIsoFlop,
  fitPowerLaw,
  fitSaturatingPowerLaw,
  type Interval,
  lossAt,
  type LossTable,
  sizeExponent,
} from '@dit/scaling'

// How often the intervals of the fits hold the truth, over simulated tables whose truth is known. The seed was committed before the
// first run; docs/scaling.md has the results.
const SEED = 1912

const USAGE = `node --import ./tools/typescript.mjs tools/scaling/coverage.ts [--kind NAME] [--tables 1000]

Simulates tables with a known law and counts how often each 95 % interval holds the truth.`

/** Whether each interval of a simulated table holds the truth; null where it was refused. */
type Simulation = (table: number) => Readonly<Record<string, boolean>> | null

const LAW = { E: 1.69, A: 406.4, B: 410.7, alpha: 0.34, beta: 0.28 }

const holds = ({ low, high }: Interval, truth: number) => truth >= low && truth <= high

/** Factors exp(sigma z), one for each row and one more for a new measurement. */
const noise = (kind: string, table: number, count: number, sigma: number) =>
  Array.from(normals(randomStream(SEED, kind, table), count + 1), (z) => Math.exp(sigma * z))

const spaced = (low: number, high: number, count: number) =>
  Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)))

function power(count: number, decades: number, sigma: number): Simulation {
  const [c, k] = [150, 0.37]
  return (table) => {
    const factors = noise('power', table, count, sigma)
    const x = spaced(1, 10 ** decades, count)
    const fit = fitPowerLaw(
      x,
      x.map((at, i) => c * at ** -k * factors[i]),
    )
    const at = 10 ** (decades + 1)
    const next = fit.predict(at).interval!
    return { k: holds(fit.kInterval!, k), prediction: holds(next, c * at ** -k * factors[count]) }
  }
}

function saturating(count: number, decades: number, sigma: number): Simulation {
  const [floor, c, k] = [4.5, 150, 0.37]
  return (table) => {
    const factors = noise('saturating', table, count, sigma)
    const x = spaced(1, 10 ** decades, count)
    const fit = fitSaturatingPowerLaw(
      x,
      x.map((at, i) => (floor + c * at ** -k) * factors[i]),
    )
    if (fit.kInterval === null || fit.floorInterval === null) return null
    const at = 10 ** (decades + 1)
    const next = fit.predict(at).interval!
    const actual = (floor + c * at ** -k) * factors[count]
    return { k: holds(fit.kInterval, k), floor: holds(fit.floorInterval, floor), prediction: holds(next, actual) }
  }
}

function isoFlop(numBudgets: number, numSizes: number, sigma: number): Simulation {
  const points = spaced(1e18, 1e22, numBudgets).flatMap((compute) => {
    const { n } = allocateCompute(LAW, compute)
    return spaced(n / 10 ** 0.5, n * 10 ** 0.5, numSizes).map((size) => ({ compute, n: size, d: compute / (6 * size) }))
  })
  return (table) => {
    const factors = noise('iso-flop', table, points.length, sigma)
    const loss = points.map(({ n, d }, i) => lossAt(LAW, n, d) * factors[i])
    try {
      const { interval } = fitIsoFlop({ compute: points.map((p) => p.compute), n: points.map((p) => p.n), loss })
      return { exponentN: holds(interval!, sizeExponent(LAW)) }
    } catch (error) {
      if (error instanceof RangeError) return null
      throw error
    }
  }
}

/** Runs scattered over three decades of size and of data. */
function scattered(table: number, count: number): { n: number[]; d: number[] } {
  const place = uniforms(randomStream(SEED, 'scattered', table), 2 * count)
  const at = (low: number, i: number) => low * 10 ** (3 * place[i])
  return {
    n: Array.from({ length: count }, (_, i) => at(3e7, i)),
    d: Array.from({ length: count }, (_, i) => at(1e9, count + i)),
  }
}

/** Six sizes at four budgets, as the experiment of docs/scaling.md has them; the budgets span 64 times, the sizes 30. */
function gridded(): { n: number[]; d: number[] } {
  const points = spaced(1e20, 6.4e21, 4).flatMap((compute) =>
    spaced(2e8, 6e9, 6).map((n) => ({ n, d: compute / (6 * n) })),
  )
  return { n: points.map(({ n }) => n), d: points.map(({ d }) => d) }
}

function lossLaw(
  design: (table: number) => { n: number[]; d: number[] },
  sigma: number,
  options: BootstrapLawOptions,
): Simulation {
  return (number) => {
    const { n, d } = design(number)
    const factors = noise('loss-law', number, n.length, sigma)
    const table: LossTable = { n, d, loss: n.map((size, i) => lossAt(LAW, size, d[i]) * factors[i]) }
    const bootstrap = bootstrapLossLaw(table, { seed: number, ...options })
    const [largeN, largeD] = [2 * Math.max(...n), 2 * Math.max(...d)]
    const truth = { ...LAW, exponentN: sizeExponent(LAW) }
    const names = ['E', 'alpha', 'beta', 'exponentN'] as const
    const next = bootstrap.predict(largeN, largeD)
    return {
      ...Object.fromEntries(names.map((name) => [name, holds(bootstrap.intervals[name], truth[name])])),
      law: holds(next.law, lossAt(LAW, largeN, largeD)),
      run: holds(next.run, lossAt(LAW, largeN, largeD) * factors[n.length]),
    }
  }
}

const KINDS: Readonly<Record<string, Simulation>> = {
  'power 12 points, 2 decades': power(12, 2, 0.05),
  'power 5 points, 1 decade': power(5, 1, 0.05),
  'saturating 12 points, 3 decades': saturating(12, 3, 0.02),
  'iso-flop 5 budgets of 9 sizes': isoFlop(5, 9, 0.002),
  'iso-flop 4 budgets of 6 sizes': isoFlop(4, 6, 0.002),
  'law huber, 30 scattered runs, expanded': lossLaw((table) => scattered(table, 30), 0.003, {
    estimator: 'huber',
    kind: 'expanded',
  }),
  'law huber, 30 scattered runs': lossLaw((table) => scattered(table, 30), 0.003, {
    estimator: 'huber',
    kind: 'percentile',
  }),
  'law squares, 30 scattered runs': lossLaw((table) => scattered(table, 30), 0.003, { estimator: 'logSquares' }),
  'law squares, 30 scattered runs, percentile': lossLaw((table) => scattered(table, 30), 0.003, {
    estimator: 'logSquares',
    kind: 'percentile',
  }),
  'law huber, grid of 24 runs': lossLaw(gridded, 0.003, { estimator: 'huber', kind: 'percentile' }),
  'law squares, grid of 24 runs': lossLaw(gridded, 0.003, { estimator: 'logSquares' }),
}

function main(): number {
  const { values } = parseArgs({
    options: { kind: { type: 'string', default: '' }, tables: { type: 'string', default: '1000' } },
  })
  const tables = Number(values.tables)
  const chosen = Object.entries(KINDS).filter(([name]) => name.includes(values.kind))
  if (!(tables >= 1) || chosen.length === 0) {
    console.error(USAGE)
    return 2
  }
  for (const [name, simulate] of chosen) {
    const counts: Record<string, number> = {}
    let refused = 0
    for (let table = 0; table < tables; table++) {
      const found = simulate(table)
      if (found === null) refused++
      else
        for (const [quantity, isHeld] of Object.entries(found))
          counts[quantity] = (counts[quantity] ?? 0) + Number(isHeld)
    }
    const shares = Object.entries(counts).map(
      ([quantity, count]) => `${quantity} ${((100 * count) / (tables - refused)).toFixed(1)} %`,
    )
    console.log(`${name.padEnd(46)}${shares.join('  ')}${refused > 0 ? `  (${refused} refused)` : ''}`)
  }
  return 0
}

process.exitCode = main()
