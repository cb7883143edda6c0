import type { Comparison } from '../../src/comparison.js'
import type { ClassResult, Evaluation, MeasureResult, NearestPictures, SetDescription } from '../../src/evaluation.js'

/** A PNG of one pixel, red or blue. */
export const RED =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
export const BLUE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPj/HwADAgH/p8dPqwAAAABJRU5ErkJggg=='

/** A measure with an interval of a tenth around it, and a floor. */
export function measureOf(changes: Partial<MeasureResult> = {}): MeasureResult {
  const counts = { real: 1906, generated: 1000 }
  const { value = 0.5 } = changes
  return {
    measure: 'precision',
    title: 'Precision',
    value,
    interval: { low: value * 0.9, high: value * 1.1, standardError: value * 0.05 },
    counts,
    floor: { value: 0.9, interval: { low: 0.85, high: 0.95, standardError: 0.02 }, counts, matched: value },
    better: 'more',
    warnings: [],
    ...changes,
  }
}

export function setOf(name: string, changes: Partial<SetDescription> = {}): SetDescription {
  return {
    name,
    kind: 'folder',
    count: 1000,
    size: [32, 32],
    classNames: ['cat', 'dog'],
    classCounts: [500, 500],
    fingerprint: `fingerprint-of-${name}`,
    ...changes,
  }
}

export function classesOf(names: readonly string[]): ClassResult[] {
  return names.map((className, i) => ({
    className,
    numGenerated: 10 + i,
    numReal: 1000 - i,
    measures: [measureOf({ value: (1 + (i % 97)) / 100 })],
  }))
}

export function nearestOf(sample: number, changes: Partial<NearestPictures> = {}): NearestPictures {
  return {
    sample,
    picture: RED,
    className: 'cat',
    neighbours: [{ index: 7, distance: 0.25, picture: BLUE, file: 'data/cat/7.png' }],
    isSuspect: false,
    ...changes,
  }
}

/** An evaluation with a little of everything. */
export function evaluationOf(changes: Partial<Evaluation> = {}): Evaluation {
  return {
    format: 'dit-evaluation',
    version: 1,
    generated: setOf('runs/pets', { kind: 'model' }),
    real: setOf('data/pets'),
    training: setOf('data/pets (training)'),
    heldOut: setOf('data/pets (held out)', { count: 1000 }),
    extractor: { name: 'small-pictures', fingerprint: 'abc123', layer: 'pool', width: 512 },
    sampling: { solver: 'dpm++2m', steps: 20, guidance: { scale: 1.5 } },
    seed: 17,
    intervals: { level: 0.95, numResamples: 1000 },
    measures: [measureOf({ measure: 'kid', title: 'Kernel distance', value: 0.02, better: 'less' }), measureOf()],
    classes: classesOf(['cat', 'dog']),
    memorisation: {
      share: 0.034,
      interval: { low: 0.0215, high: 0.047, standardError: 0.006 },
      threshold: 0.3,
      space: 'pixels',
      isMirrored: true,
      numTraining: 900,
      numHeldOut: 1000,
      numSamples: 1000,
    },
    nearest: [nearestOf(3), nearestOf(5, { isSuspect: true })],
    grids: [
      { title: 'Samples', picture: RED, width: 10, height: 20 },
      { title: 'Real pictures', picture: BLUE, width: 1000, height: 500 },
    ],
    warnings: ['Few pictures.'],
    ...changes,
  }
}

export function comparisonOf(changes: Partial<Comparison> = {}): Comparison {
  const { extractor, intervals } = evaluationOf()
  return {
    format: 'dit-comparison',
    version: 1,
    first: setOf('runs/first', { kind: 'model' }),
    second: setOf('runs/second', { kind: 'model' }),
    real: setOf('data/pets'),
    extractor,
    isPaired: true,
    intervals,
    measures: [
      {
        measure: 'kid',
        title: 'Kernel distance',
        first: 0.02,
        second: 0.01,
        difference: -0.01,
        interval: { low: -0.015, high: -0.005, standardError: 0.0025 },
        better: 'less',
        winner: 'second',
        warnings: [],
      },
    ],
    warnings: [],
    ...changes,
  }
}
