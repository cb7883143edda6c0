import {
  chanceCopies,
  type Comparison,
  type Evaluation,
  type MeasureInterval,
  type MeasureResult,
  readingOf,
  type SetDescription,
} from '@dit/evaluate'
import { formatCount, formatNumber, formatTable } from '../terminal/format.js'

/** An evaluation as lines: what was judged by what, a table of measures, and copies. */
export function evaluationLines(evaluation: Evaluation): string[] {
  const { generated, real, training, extractor, measures, memorisation, intervals } = evaluation
  const level = percent(intervals.level)
  const head = ['', 'value', `${level} interval`, 'floor', 'reading']
  const rows = measures.map((result) => [
    result.title,
    number(result.value, result.interval),
    intervalText(result.interval),
    result.floor === null ? '' : number(result.floor.value, result.floor.interval),
    readingOf(result) ?? '',
  ])
  return [
    ...formatTable([
      ['judged', setText(generated)],
      ['real', setText(real)],
      ...(training === null ? [] : [['training', setText(training)]]),
      ['features', `${extractor.name}, layer ${extractor.layer}: ${formatCount(extractor.width)} numbers a picture`],
    ]),
    '',
    ...formatTable([head, ...rows], [false, true, true, true, false]),
    ...floorText(measures),
    ...(memorisation === null ? [] : ['', copiesText(evaluation)]),
  ]
}

/** A comparison as lines. */
export function comparisonLines(comparison: Comparison): string[] {
  const { first, second, real, extractor, measures, isPaired, intervals } = comparison
  const head = ['', 'first', 'second', 'difference', `${percent(intervals.level)} interval`, 'better']
  const rows = measures.map(({ title, first: one, second: two, difference, interval, winner }) => [
    title,
    number(one, interval),
    number(two, interval),
    number(difference, interval),
    intervalText(interval),
    interval === null ? '' : (winner ?? 'not clear'),
  ])
  return [
    ...formatTable([
      ['first', setText(first)],
      ['second', setText(second)],
      ['real', setText(real)],
      ['features', `${extractor.name}, layer ${extractor.layer}: ${formatCount(extractor.width)} numbers a picture`],
      ['samples', isPaired ? 'paired: the same seed and classes' : 'drawn apart'],
    ]),
    '',
    ...formatTable([head, ...rows], [false, true, true, true, true, false]),
  ]
}

/** Warnings of an evaluation, each once. */
export function warningLines({
  warnings,
  measures,
}: {
  readonly warnings: readonly string[]
  readonly measures: readonly Pick<MeasureResult, 'title' | 'warnings'>[]
}): string[] {
  const ofMeasures = new Map<string, string[]>()
  for (const { title, warnings: own } of measures)
    for (const text of own) ofMeasures.set(text, [...(ofMeasures.get(text) ?? []), title])
  return [...warnings, ...[...ofMeasures].map(([text, titles]) => `${titles.join(', ')}: ${text}`)]
}

function setText({ name, count, size, kind }: SetDescription): string {
  const counted = count === 0 ? 'of an unknown number of pictures' : `${formatCount(count)} pictures`
  const what = kind === 'model' ? `${formatCount(count)} samples` : counted
  return `${name}: ${what}${size === null ? '' : `, ${size[1]} x ${size[0]}`}`
}

/** What floors are of. */
function floorText(measures: readonly MeasureResult[]): string[] {
  const shown = measures.find(({ floor, counts }) => floor !== null && counts.real !== null)
  if (shown?.floor === undefined || shown.floor === null) return []
  const { real, generated } = shown.floor.counts
  const isMatched = real === shown.counts.real && generated === shown.counts.generated
  const own = isMatched ? '' : '; readings compare it with as many samples'
  return ['', `floor: ${formatCount(real ?? 0)} real pictures against ${formatCount(generated)} other real ones${own}`]
}

function copiesText({ memorisation, intervals }: Evaluation): string {
  const { share, interval, space, numTraining, numHeldOut, isMirrored } = memorisation!
  const { expected, most } = chanceCopies(memorisation!)
  const mirrored = isMirrored ? ' or its mirror image' : ''
  return (
    `copies: ${percent(share)} of samples (${percent(interval.low)} to ${percent(interval.high)} at ${percent(intervals.level)}) are nearer to one of ` +
    `${formatCount(numTraining)} training pictures${mirrored} than 99 % of ${formatCount(numHeldOut)} held-out pictures are, by their ${space}; ` +
    `about ${percent(expected)} is expected of a model that copies nothing, and up to ${percent(most)} is chance`
  )
}

/** As many digits as the interval leaves: two of its width. */
export function number(value: number, interval: MeasureInterval | null): string {
  if (interval === null || !(interval.high > interval.low)) return formatNumber(value)
  const digits = 1 - Math.floor(Math.log10(interval.high - interval.low))
  if (digits > 8 || digits < 0) return formatNumber(value)
  return value.toFixed(digits)
}

function intervalText(interval: MeasureInterval | null): string {
  return interval === null ? '' : `${number(interval.low, interval)} to ${number(interval.high, interval)}`
}

/** 0.0123 -> '1.2 %' */
function percent(share: number): string {
  return `${Number((100 * share).toPrecision(share > 0.1 ? 3 : 2))} %`
}
