import type { MeasureFloor, MeasureResult } from '../evaluation.js'
import { floorStanding, hasRatio } from '../floor-standing.js'
import { formatCount, formatMeasure, isNumber } from './format-number.js'

/** What each measure says, to somebody who has not read its paper. */
const MEANINGS: Readonly<Record<string, string>> = {
  frechet:
    'Distance between the two sets as clouds of features. It grows when pictures look wrong and when variety is missing, and does not tell which.',
  spatialFrechet:
    'The same distance on features that still know where in the picture they are: it sees wrong layouts better, and overall looks less.',
  frechetInfinity:
    'The Fréchet distance that would be measured with endlessly many samples. It can be compared between different counts.',
  kid: 'Distance between the two sets that does not grow when there are few samples. Around 0, and sometimes below, the sets are alike.',
  cmmd: 'Distance between the two sets that assumes no shape of the clouds. Around 0, the sets are alike.',
  inceptionScore:
    'High when each picture is clearly of one class and all classes appear. It never looks at the real pictures.',
  precision: 'Share of the judged pictures that lie where real pictures lie: whether they look right.',
  recall: 'Share of the real pictures that the judged ones come near to: whether the variety is all there.',
  density:
    'How densely real pictures surround the judged ones. About 1 is what real pictures reach; more means crowding around the most common kinds.',
  coverage: 'Share of the real pictures that have a judged one as close neighbour: whether kinds are missing.',
  vendi: 'How many clearly different pictures the set is worth: its variety, whether or not it looks right.',
  authenticity:
    'Share of the judged pictures that are not closer to a training picture than that one’s own nearest neighbour is. Low values hint at copies.',
}

/** Measures that lie between 0 and 1. */
const SHARES: ReadonlySet<string> = new Set(['precision', 'recall', 'coverage', 'authenticity'])

/** Whether a measure is a share, and so has an axis from 0 to 1. */
export function isShare(measure: string): boolean {
  return SHARES.has(measure)
}

/** What a measure says, and to which side it is good. */
export function meaningOf({ measure, better }: Pick<MeasureResult, 'measure' | 'better'>): string {
  const meaning = Object.hasOwn(MEANINGS, measure) ? `${MEANINGS[measure]} ` : ''
  return `${meaning}${better === 'less' ? 'Lower' : 'Higher'} is better.`
}

/** How a value stands to the floor, in a word for the eye and a sentence. */
export interface Verdict {
  readonly kind: 'at-floor' | 'short' | 'beyond' | 'unknown'
  readonly label: string
  readonly sentence: string
}

/** Reads a value against its floor, real pictures against other real ones. */
export function verdictOf(result: MeasureResult): Verdict {
  const { value, interval, floor } = result
  if (!isNumber(value)) return { kind: 'unknown', label: 'no number', sentence: 'This measure has no value here.' }
  const standing = floorStanding(result)
  if (floor === null || standing === null)
    return {
      kind: 'unknown',
      label: 'no floor',
      sentence: 'Real pictures were not measured against real ones, so it says only which of two models is better.',
    }
  const real = formatMeasure(floor.value, floor.interval)
  if (interval === null && floor.interval === null)
    return {
      kind: 'unknown',
      label: 'no interval',
      sentence: `Real against real: ${real}. Without intervals, nobody knows how much of the difference is chance.`,
    }
  if (standing === 'at')
    return {
      kind: 'at-floor',
      label: 'as real pictures',
      sentence: `Cannot be told apart from real pictures, which have ${real}.`,
    }
  if (standing === 'short')
    return { kind: 'short', label: 'short of real', sentence: shortSentence(result.better, floor, real) }
  if (result.measure === 'authenticity')
    return {
      kind: 'unknown',
      label: 'far from training pictures',
      sentence: `Farther from the training pictures than real ones, which have ${real}: no sign of copying, but pictures that look wrong are far, too.`,
    }
  return {
    kind: 'beyond',
    label: 'beyond real',
    sentence: `Better than real pictures, which have ${real}: look for copies, and for a floor of fewer pictures.`,
  }
}

function shortSentence(better: 'less' | 'more', floor: MeasureFloor, real: string): string {
  const ratio = floor.matched / floor.value
  if (better === 'less' && hasRatio(floor)) return `${formatRatio(ratio)} times what real pictures have (${real}).`
  if (better === 'more' && hasRatio(floor) && ratio > 0)
    return `${Math.round(100 * ratio)} % of what real pictures have (${real}).`
  return `Real pictures have ${real}.`
}

function formatRatio(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(1) : formatCount(Math.round(ratio))
}

/** A title as the first word of a line: `Precision`. */
export function capitalised(title: string): string {
  return title.slice(0, 1).toUpperCase() + title.slice(1)
}
